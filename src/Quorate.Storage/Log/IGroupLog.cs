using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Storage.Log;

/// <summary>What a log holds when it has been opened; all of it durable (pitfall R28).</summary>
/// <param name="Base">The index before the first entry held; zero for a log that never released anything.</param>
/// <param name="TermStarts">Where the terms in (Base, Last] begin.</param>
/// <param name="Memberships">The memberships in (Base, Last].</param>
public sealed record RecoveredLog(
    HardState HardState,
    LogIndex Base,
    Term BaseTerm,
    LogIndex Last,
    TermStart[] TermStarts,
    MembershipAt[] Memberships);

/// <summary>The owner of a log. Its members are called as inputs, never inside a call to the log.</summary>
public interface IGroupLogClient
{
    void LogOpened(RecoveredLog log);

    /// <summary>A Persist is durable. They may come out of order; the group copes.</summary>
    void LogDurable(ulong sequence);

    /// <summary>Consecutive entries from the one asked for; empty when the log no longer holds it.</summary>
    void LogRead(ulong tag, Entry[] entries);

    /// <summary>
    /// The log can not go on or can not prove what it holds: the process must end with this sentence.
    /// </summary>
    void LogFailed(string sentence);
}

/// <summary>A group's log on disk.</summary>
public interface IGroupLog
{
    /// <summary>
    /// Read what is there, cut a torn tail, make the rest durable; then <see cref="IGroupLogClient.LogOpened"/>.
    /// </summary>
    void Open();

    /// <summary>
    /// Make a write durable; then <see cref="IGroupLogClient.LogDurable"/>. Writes take effect in the order of
    /// their sequence.
    /// </summary>
    void Write(Persist persist);

    /// <summary>
    /// Read entries [first, last], at most <paramref name="maxBytes"/> but at least one; then
    /// <see cref="IGroupLogClient.LogRead"/>.
    /// </summary>
    void Read(ulong tag, LogIndex first, LogIndex last, int maxBytes);
}
