using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>Which messages a command means: by sender, receiver and kind.</summary>
internal sealed record MessagePattern(uint? From, uint? To, MessageKind[] Kinds)
{
    /// <summary>Reads <c>1->2</c>, <c>*->2</c> and names of kinds, in any number.</summary>
    public static MessagePattern Parse(ScriptWords words)
    {
        uint? from = null;
        uint? to = null;
        var kinds = new List<MessageKind>();
        while (words.TryNext() is string word)
        {
            int arrow = word.IndexOf("->", StringComparison.Ordinal);
            if (arrow > 0)
            {
                from = End(word[..arrow]);
                to = End(word[(arrow + 2)..]);
            }
            else if (Enum.TryParse(word, ignoreCase: false, out MessageKind kind) && Enum.IsDefined(kind))
            {
                kinds.Add(kind);
            }
            else
            {
                throw ScriptWords.Wrong($"'{word}' is neither a link such as 1->2 nor a kind of message");
            }
        }

        return new(from, to, [.. kinds]);
    }

    public bool Matches(in RaftMessage message) =>
        (From is null || From == message.From.Node)
        && (To is null || To == message.To.Node)
        && (Kinds.Length == 0 || Kinds.Contains(message.Kind));

    private static uint? End(string word) => word == "*" ? null : (uint)ScriptWords.Number(word);
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
