using System.Text;
using Quorate.Server.Runtime;

namespace Quorate.Server.Resp.Commands;

/// <summary>
/// `JOIN host:port`: a node that was started with `--replica` joins the cluster of the node with that peer address as a
/// read replica; answered when it has what was there.
/// </summary>
internal sealed class JoinCommand : RequestSteps
{
    private const int AddressBytesMax = 300;

    public static readonly EdgeCommand[] All =
    [
        new("JOIN", 2, EdgeHabits.Alone, Run),
    ];

    private string? _error;

    public override void Next(RespRequest request)
    {
        if (_error is { } error)
        {
            request.Error(error);
        }
        else
        {
            request.Ok();
        }
    }

    private static void Run(RespRequest request)
    {
        if (request.Connection.Shared.Node.Joining is not { } joining)
        {
            request.Error("ERR this node was not started to be a read replica: start it with --replica");
            return;
        }

        ReadOnlySpan<byte> word = request.Line[1];
        string address = Encoding.Latin1.GetString(word[..Math.Min(word.Length, AddressBytesMax)]);
        var steps = new JoinCommand();
        request.Steps = steps;
        request.Pending++;
        _ = steps.Wait(request, joining, address);
    }

    /// <summary>Its end comes to the connection's turn by way of the request's own call.</summary>
    private async Task Wait(RespRequest request, Joining joining, string address)
    {
        _error = await joining.Join(address).ConfigureAwait(false);
        request.Connection.OnCompleted(request.Call);
    }
}
