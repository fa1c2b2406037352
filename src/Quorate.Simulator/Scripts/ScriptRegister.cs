using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>
/// A script's state machine: a register that remembers all its values, so that two of them can be compared.
/// </summary>
internal sealed class ScriptRegister
{
    /// <summary>Everything that was ever written, in order.</summary>
    public List<string> Data { get; private set; } = [];

    public LogIndex Applied { get; private set; }

    public string Value => Data.Count > 0 ? Data[^1] : "(nothing written)";

    public void Clear()
    {
        Data = [];
        Applied = LogIndex.Zero;
    }

    public void Apply(Entry entry)
    {
        Invariant.Check(entry.Index == Applied.Next, $"{entry} is applied right after {Applied}");
        Applied = entry.Index;
        if (entry.Kind == EntryKind.Data)
        {
            Data.Add(ScriptPrinter.Text(entry.Payload.Span));
        }
    }

    public byte[] Save() => Encoding.UTF8.GetBytes(string.Join('\n', Data));

    public void Load(ScriptCheckpoint checkpoint)
    {
        string state = Encoding.UTF8.GetString(checkpoint.State);
        Data = state.Length == 0 ? [] : [.. state.Split('\n')];
        Applied = checkpoint.Meta.Index;
    }
}
