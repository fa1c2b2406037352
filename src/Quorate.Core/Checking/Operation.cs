using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core.Raft;

namespace Quorate.Core.Checking;

/// <summary>What a client asked of one key.</summary>
public enum OperationKind : byte
{
    /// <summary>Returns the value.</summary>
    Read = 0,

    /// <summary>Sets the value whatever it was; writing 0 deletes.</summary>
    Write = 1,

    /// <summary>Sets the value if it was the expected one; says whether it did.</summary>
    CompareAndSet = 2,

    /// <summary>Adds to the value and returns the sum.</summary>
    Add = 3,
}

/// <summary>
/// One operation of a recorded history, as its client saw it (Herlihy and Wing, "Linearizability", section 2: an
/// invocation and the response that matches it). Times are readings of one clock that all clients of the history
/// share, in any unit.
/// <para>Invariants: a done operation returned no earlier than it was invoked. The returned time of the others
/// means nothing, for a client that stopped waiting says nothing of the server; neither does their result.</para>
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Operation
{
    public required long Client { get; init; }

    public required long Key { get; init; }

    public required OperationKind Kind { get; init; }

    /// <summary>The value to write, or what to add; unused by reads.</summary>
    public long Argument { get; init; }

    /// <summary>What a compare-and-set expects to find; 0 is "absent".</summary>
    public long Expected { get; init; }

    /// <summary>The value read; for a compare-and-set 1 when it succeeded and else 0; the sum of an addition.</summary>
    public long Result { get; init; }

    public required Outcome Outcome { get; init; }

    public required long Invoked { get; init; }

    /// <summary>When the reply came; <see cref="long.MaxValue"/> when the outcome is unknown.</summary>
    public required long Returned { get; init; }

    public static Operation Read(long client, long key, long result, long invoked, long returned) =>
        Done(client, key, OperationKind.Read, invoked, returned) with { Result = result };

    public static Operation Write(long client, long key, long value, long invoked, long returned) =>
        Done(client, key, OperationKind.Write, invoked, returned) with { Argument = value };

    public static Operation CompareAndSet(
        long client, long key, long expected, long value, bool succeeded, long invoked, long returned) =>
        Done(client, key, OperationKind.CompareAndSet, invoked, returned) with
        {
            Expected = expected,
            Argument = value,
            Result = succeeded ? 1 : 0,
        };

    public static Operation Add(long client, long key, long delta, long sum, long invoked, long returned) =>
        Done(client, key, OperationKind.Add, invoked, returned) with { Argument = delta, Result = sum };

    /// <summary>The same operation, its reply never seen.</summary>
    public Operation AsUnknown() => this with { Outcome = Outcome.Unknown, Result = 0, Returned = long.MaxValue };

    /// <summary>The same operation, refused.</summary>
    public Operation AsRefused() => this with { Outcome = Outcome.Refused, Result = 0 };

    /// <summary>For people: who asked what, the reply, and when.</summary>
    public override string ToString()
    {
        string asked = Kind switch
        {
            OperationKind.Read => "read",
            OperationKind.Write => Text($"write {Argument}"),
            OperationKind.CompareAndSet => Text($"compare-and-set {Expected} to {Argument}"),
            _ => Text($"add {Argument}"),
        };
        string reply = (Outcome, Kind) switch
        {
            (Outcome.Unknown, _) => " -> unknown",
            (Outcome.Refused, _) => " -> refused",
            (_, OperationKind.Write) => "",
            (_, OperationKind.CompareAndSet) => Result != 0 ? " -> succeeded" : " -> failed",
            _ => Text($" -> {Result}"),
        };
        string until = Outcome == Outcome.Unknown ? "..." : Text($"{Returned}");
        return Text($"client {Client}: {asked}{reply} [{Invoked}, {until}]");
    }

    private static Operation Done(long client, long key, OperationKind kind, long invoked, long returned) => new()
    {
        Client = client,
        Key = key,
        Kind = kind,
        Outcome = Outcome.Done,
        Invoked = invoked,
        Returned = returned,
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
