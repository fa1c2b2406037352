using Quorate.Server.Runtime;

namespace Quorate.Server.Tests.Runtime;

internal static class LookingAtLoops
{
    /// <summary>Looks at what the node has noted once everything before is done.</summary>
    public static void Look(this NodeLoop loop, Action look)
    {
        using var end = new ManualResetEventSlim();
        Exception? failure = null;
        loop.Post(_ =>
        {
            try
            {
                look();
            }
            catch (Exception e)
            {
                failure = e;
            }

            end.Set();
        });
        Assert.True(end.Wait(Soon.Patience, TestContext.Current.CancellationToken));
        Assert.Null(failure);
    }
}
