using Quorate.Cli.Up;

namespace Quorate.Cli.Tests.Up;

/// <summary>A node that dies is told in some lines, not in one for each partition that it led.</summary>
public sealed class ElectionBurstsTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<(DateTimeOffset Time, string Text)> _told = [];

    [Fact]
    public void Elections_of_one_node_and_cause_are_one_line_and_all_else_goes_through()
    {
        using var bursts = new ElectionBursts(Take);
        for (int partition = 0; partition < 10; partition++)
        {
            bursts.Tell(2, Start.AddMilliseconds(partition), Line(2, partition, "the former leader fell silent"));
        }

        bursts.Tell(2, Start, Line(2, 15, "handed over"));
        bursts.Tell(3, Start, Line(3, 11, "the former leader fell silent"));
        bursts.Tell(3, Start, "silent: Node 1 is not heard.");
        bursts.Flush();
        Assert.Equal(
            [
                "node 3: silent: Node 1 is not heard.",
                "node 2: election: Node 2 leads 10 partitions (the former leader fell silent): default/0, default/1, "
                    + "default/2, default/3, default/4, default/5, default/6, default/7 and 2 more.",
                "node 2: election: Node 2 leads partition default/15 in term 3 (handed over).",
                "node 3: election: Node 3 leads partition default/11 in term 3 (the former leader fell silent).",
            ],
            _told.Select(each => each.Text));
        Assert.Equal(Start, _told[1].Time);
    }

    [Fact]
    public void What_waits_is_told_by_itself_and_at_the_end()
    {
        using (var bursts = new ElectionBursts(Take))
        {
            bursts.Tell(2, Start, Line(2, 0, "handed over"));
            Soon.IsHere(() => Count() == 1, "it is told");
            bursts.Tell(2, Start, Line(2, 1, "handed over"));
        }

        Assert.Equal(2, Count());
    }

    private static string Line(int node, int partition, string cause) =>
        $"election: Node {node} leads partition default/{partition} in term 3 ({cause}).";

    private int Count()
    {
        lock (_told)
        {
            return _told.Count;
        }
    }

    private void Take(DateTimeOffset time, string text)
    {
        lock (_told)
        {
            _told.Add((time, text));
        }
    }
}
