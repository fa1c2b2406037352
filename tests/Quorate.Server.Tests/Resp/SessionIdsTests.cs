using Quorate.Server.Resp;

namespace Quorate.Server.Tests.Resp;

/// <summary>No request session's id is given out twice.</summary>
public sealed class SessionIdsTests
{
    private const long Now = 1_790_000_000_000;

    [Fact]
    public void Another_life_repeats_none_when_the_clock_went_back_meanwhile()
    {
        HashSet<ulong> seen = [];
        for (int life = 0; life < 50; life++)
        {
            var ids = new SessionIds(life);
            for (int i = 0; i < 1000; i++)
            {
                Assert.True(seen.Add(ids.Next(new(3), Now + (i / 10))));
            }
        }
    }

    [Fact]
    public void Nodes_do_not_meet_and_a_clock_that_goes_back_does_no_harm()
    {
        HashSet<ulong> seen = [];
        SessionIds[] nodes = [new(7), new(7), new(4095)];
        for (int i = 0; i < 2000; i++)
        {
            for (uint node = 0; node < nodes.Length; node++)
            {
                Assert.True(seen.Add(nodes[node].Next(new(node + 1), Now - (i * 10))));
            }
        }
    }

    [Fact]
    public void They_rise_with_time_and_none_is_newer_than_its_time()
    {
        ulong last = 0;
        var ids = new SessionIds(4095);
        for (int i = 0; i < 100; i++)
        {
            long at = Now + (i * 200);
            ulong next = ids.Next(new(1023), at);
            Assert.True(next > last);
            Assert.InRange(next, SessionIds.Newest(at - 200) + 1, SessionIds.Newest(at));
            last = next;
        }
    }
}
