using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>Which messages a command means: by links and kinds; none of either means any.</summary>
internal sealed record MessagePattern(List<(uint? From, uint? To)> Links, List<MessageKind> Kinds)
{
    /// <summary>Reads <c>1->2</c>, <c>*->2</c> and names of kinds, in any number.</summary>
    public static MessagePattern Parse(ScriptWords words)
    {
        var pattern = new MessagePattern([], []);
        while (words.TryNext() is string word)
        {
            if (word.Contains("->", StringComparison.Ordinal))
            {
                string[] ends = word.Split("->");
                pattern.Links.Add((End(ends[0]), End(ends[1])));
            }
            else if (Enum.TryParse(word, ignoreCase: false, out MessageKind kind) && Enum.IsDefined(kind))
            {
                pattern.Kinds.Add(kind);
            }
            else
            {
                throw ScriptWords.Wrong($"'{word}' is neither a link such as 1->2 nor a kind of message");
            }
        }

        return pattern;
    }

    public bool Matches(RaftMessage message) =>
        (Kinds.Count == 0 || Kinds.Contains(message.Kind)) && (Links.Count == 0 || Links.Exists(l => IsOn(message, l)));

    private static uint? End(string word) => word == "*" ? null : (uint)ScriptWords.Number(word);

    private static bool IsOn(RaftMessage message, (uint? From, uint? To) link) =>
        IsEnd(link.From, message.From.Node) && IsEnd(link.To, message.To.Node);

    private static bool IsEnd(uint? wanted, uint node) => wanted is null || wanted == node;
}

/// <summary>The messages on their way, in the order in which they were sent, and the links that are cut.</summary>
internal sealed class ScriptNetwork
{
    private readonly HashSet<(uint From, uint To)> _cut = [];

    public List<RaftMessage> InFlight { get; } = [];

    /// <summary>Messages that are late: nothing delivers them until they are released.</summary>
    public List<RaftMessage> Held { get; } = [];

    public bool IsCut(uint from, uint to) => _cut.Contains((from, to));

    public void Cut(uint from, uint to) => _cut.Add((from, to));

    public void Heal() => _cut.Clear();

    /// <summary>Removes and returns the messages of a list that match, in order.</summary>
    public static List<RaftMessage> Take(List<RaftMessage> list, MessagePattern pattern)
    {
        List<RaftMessage> taken = [.. list.Where(m => pattern.Matches(m))];
        list.RemoveAll(m => pattern.Matches(m));
        return taken;
    }
}
