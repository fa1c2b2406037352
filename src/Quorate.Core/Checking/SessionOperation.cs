using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Checking;

/// <summary>What a session did, and whether it was told that its token's entry is lost.</summary>
public enum SessionOperationKind : byte
{
    Write = 0,

    Read = 1,

    /// <summary>A read that was answered "session lost" (<see cref="DropReason.SessionLost"/>).</summary>
    ReadSessionLost = 2,
}

/// <summary>
/// One operation of a client's session on one group, as the client saw it. Times are readings of one clock of the
/// client's; a client that does one thing at a time may count instead.
/// <para>Invariants: only done operations carry a token and a version; a done operation returned no earlier than
/// it was invoked.</para>
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SessionOperation
{
    public required long Session { get; init; }

    public required long Key { get; init; }

    public required SessionOperationKind Kind { get; init; }

    /// <summary>The level of a read; unused by writes.</summary>
    public ReadLevel Level { get; init; }

    public required Outcome Outcome { get; init; }

    /// <summary>The token that the reply carried; the default one when it carried none.</summary>
    public ReadToken Token { get; init; }

    /// <summary>The index of the entry that wrote the value read; zero for an absent key. Unused by writes.</summary>
    public LogIndex Version { get; init; }

    /// <summary>The value read or written; 0 is "absent".</summary>
    public long Value { get; init; }

    public required long Invoked { get; init; }

    public required long Returned { get; init; }

    public static SessionOperation Write(
        long session, long key, long value, ReadToken token, long invoked, long returned) =>
        Of(session, key, SessionOperationKind.Write, Outcome.Done, invoked, returned) with
        {
            Value = value,
            Token = token,
        };

    public static SessionOperation Read(
        long session,
        long key,
        ReadLevel level,
        long value,
        LogIndex version,
        ReadToken token,
        long invoked,
        long returned) =>
        Of(session, key, SessionOperationKind.Read, Outcome.Done, invoked, returned) with
        {
            Level = level,
            Value = value,
            Version = version,
            Token = token,
        };

    public static SessionOperation Lost(long session, long key, long invoked, long returned) =>
        Of(session, key, SessionOperationKind.ReadSessionLost, Outcome.Refused, invoked, returned) with
        {
            Level = ReadLevel.Session,
        };

    public override string ToString() => Kind switch
    {
        SessionOperationKind.Write => Text(
            $"session {Session}: key {Key}: write {Value} -> {Outcome}, token {Token}{Times}"),
        SessionOperationKind.Read => Text(
            $"session {Session}: key {Key}: {Level} read -> {Value} of version {Version}, token {Token}{Times}"),
        _ => Text($"session {Session}: key {Key}: {Level} read -> session lost{Times}"),
    };

    private string Times => Text($" [{Invoked}, {Returned}]");

    private static SessionOperation Of(
        long session, long key, SessionOperationKind kind, Outcome outcome, long invoked, long returned) => new()
        {
            Session = session,
            Key = key,
            Kind = kind,
            Outcome = outcome,
            Invoked = invoked,
            Returned = returned,
        };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
