using System.Globalization;
using System.Text;
using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Simulator.Checks;

namespace Quorate.Simulator.Clusters;

/// <summary>An operation as one node was asked it.</summary>
internal sealed class ClusterCall : ClientCall
{
    private readonly ClusterWorld _world;
    private readonly Action<CallResult> _told;

    public ClusterCall(ClusterWorld world, ClusterMachine machine, ClusterOperation operation, Action<CallResult> told)
    {
        _world = world;
        _told = told;
        Machine = machine;
        Life = machine.Life;
        Operation = operation;
        Keyspace = operation.KeyspaceId!.Value;
        string key = string.Create(CultureInfo.InvariantCulture, $"{KeysBegin(Keyspace)}{operation.Key}");
        string[] words = operation.Kind switch
        {
            OperationKind.Read => ["GET", key],
            OperationKind.Write when operation.Argument == 0 => ["DEL", key],
            OperationKind.Write =>
            [
                "SET", key,
                string.Create(CultureInfo.InvariantCulture, $"{ValuesBegin(Keyspace)}{operation.Argument}"),
            ],
            _ => ["INCRBY", key, operation.Argument.ToString(CultureInfo.InvariantCulture)],
        };
        Lines = [new([.. words.Select(word => (ReadOnlyMemory<byte>)Encoding.ASCII.GetBytes(word))])];
        Slot = KeyHash.SlotOf(Encoding.ASCII.GetBytes(key));
        Writes = operation.IsWrite;
        ReadLevel = operation.Level;
        Session = operation.Session;
    }

    public ClusterMachine Machine { get; }

    public uint Life { get; }

    public ClusterOperation Operation { get; }

    public bool IsDone { get; private set; }

    /// <summary>The process that had it is gone, and nobody is told by it any more.</summary>
    public bool IsOrphan => Machine.Life != Life;

    public override void Complete(in CallResult result)
    {
        if (IsOrphan)
        {
            return;
        }

        if (IsDone)
        {
            RunClaims.Break(RunClaims.SingleAnswer, $"{Machine.Name} has answered {Operation} twice");
        }

        IsDone = true;
        _world.History.Completed(this);
        _told(result);
    }

    /// <summary>
    /// How all keys of a keyspace begin, so that they are known again wherever they lie in the clear.
    /// </summary>
    public static string KeysBegin(uint keyspace) =>
        string.Create(CultureInfo.InvariantCulture, $"key-of-{keyspace}-");

    /// <summary>How all values of registers begin.</summary>
    public static string ValuesBegin(uint keyspace) =>
        string.Create(CultureInfo.InvariantCulture, $"value-of-{keyspace}:");

    /// <summary>The number that a reply holds; none for no value.</summary>
    public long ValueOf(ReadOnlySpan<byte> reply)
    {
        string text = Encoding.ASCII.GetString(reply);
        bool isNumber = text[0] switch
        {
            '_' or '+' => text is "_\r\n" or "+OK\r\n",
            ':' => long.TryParse(text[1..^2], CultureInfo.InvariantCulture, out _),
            '$' => long.TryParse(NumberIn(text), CultureInfo.InvariantCulture, out _),
            _ => false,
        };
        if (!isNumber)
        {
            RunClaims.Break(RunClaims.WrongResult, $"{Operation} is answered {text.TrimEnd()}");
        }

        return text[0] switch
        {
            ':' => long.Parse(text[1..^2], CultureInfo.InvariantCulture),
            '$' => long.Parse(NumberIn(text), CultureInfo.InvariantCulture),
            _ => 0,
        };
    }

    /// <summary>A register's value has its keyspace before its number.</summary>
    private string NumberIn(string text)
    {
        string value = text.Split("\r\n")[1];
        string begin = ValuesBegin(Keyspace);
        return value.StartsWith(begin, StringComparison.Ordinal) ? value[begin.Length..] : value;
    }
}
