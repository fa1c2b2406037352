using System.Buffers;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Node.Commands;
using Quorate.Storage.Rows;

namespace Quorate.Node.Evaluation;

/// <summary>How an evaluation ended.</summary>
public enum EvaluationOutcome : byte
{
    /// <summary>There is a reply (an error is one, too), and perhaps changes.</summary>
    Done,

    /// <summary>
    /// A row was cold: there is neither reply nor change. To be run again, with the same lines, once it is fetched; a
    /// piece with <see cref="CommandEvaluation.Progress"/>, and when that is another than before, what was fetched
    /// earlier need not be held.
    /// </summary>
    Cold,

    /// <summary>A piece is done: to be run again with <see cref="CommandEvaluation.Progress"/>.</summary>
    Paused,
}

/// <summary>
/// Evaluates the commands of a request over rows. One object serves one request after the other; what it hands out
/// holds until the next <see cref="Run"/>.
/// <para>Invariants: reply and changes depend on the lines, the rows, the time, the first version and the seed alone; a
/// command that answers with an error has changed nothing; what exceeds a limit has changed nothing; the number of a
/// change in <see cref="Changes"/> is its version's distance from the first version.</para>
/// </summary>
public sealed class CommandEvaluation(EvaluationLimits limits) : CommandContext
{
    private readonly RowOverlay _rows = new(NoRows.Instance);
    /// <summary>
    /// How often a changed row is in memory at a time until it is applied: as a change, in its entry and as a row that
    /// is pending; then as that, as the entry's payload and in what goes to the disk.
    /// </summary>
    private const int CopiesOfRow = 3;

    /// <summary>A row that a command makes of another is there besides.</summary>
    private const int CopiesOfComposedRow = CopiesOfRow + 1;

    private ArrayBufferWriter<byte> _changes = new();
    private readonly Reply _reply = new();
    private CommandLine _line = new([]);
    private HybridTime _time;
    private RowVersion _first;
    private ulong _seed;
    private string? _refusal;
    private string? _commandRefusal;
    private bool _isCold;
    private bool _isPaused;
    private CommandProgress? _progress;
    private bool _mayPause;
    private bool _hasSeenTooMuch;
    private bool _isAbandoned;

    /// <summary>Changes that lie over the rows; it copies them, so it is only done before a look.</summary>
    private int _laidOn;
    private int _laidOnBytes;

    /// <summary>
    /// The term of an entry that is in the log or will be next; zero when it is not remembered, null when it can not be
    /// told here.
    /// </summary>
    public Func<LogIndex, Term?> TermAt { get; set; } = static _ => Term.Zero;

    /// <summary>Whether the process has memory for so many bytes; asked before something large is made.</summary>
    public Func<long, bool> HeapHasRoom
    {
        get;
        set
        {
            field = value;
            _reply.HeapHasRoom = value;
        }
    } = static _ => true;

    /// <summary>Changes of the last run.</summary>
    public int ChangeCount { get; private set; }

    /// <summary>The changes of the last run as <see cref="RowChanges"/> encodes them.</summary>
    public ReadOnlySpan<byte> Changes => _changes.WrittenSpan;

    /// <summary>What its buffers take, in bytes.</summary>
    internal int Capacity => _changes.Capacity + _reply.Capacity;

    /// <summary>The version of the last change; that before the first when there is none.</summary>
    public RowVersion LastVersion => new(_first.Packed + (ulong)ChangeCount - 1);

    /// <summary>Rows that the last run looked at; one more for the request itself.</summary>
    public long RowsVisited { get; private set; }

    /// <summary>Bytes of row keys and values that the last run looked at.</summary>
    public long BytesVisited { get; private set; }

    /// <summary>The last run was refused because its reply would exceed the limit.</summary>
    public bool ReplyWasTooLong { get; private set; }

    /// <summary>
    /// The last run was refused, all of it, because the heap had no room: the same may be done at another time.
    /// </summary>
    public bool LackedRoom { get; private set; }

    public override CommandProgress? Progress => _progress;

    public override bool MayPause => _mayPause;

    public override bool HasSeenMuch =>
        RowsVisited > limits.RowsPieceMax || BytesVisited > limits.BytesPieceMax;

    public override CommandLine Line => _line;

    public override Reply Reply => _reply;

    public override HybridTime Time => _time;

    public override RowVersion NextVersion => new(_first.Packed + (ulong)ChangeCount);

    public override ulong Seed => _seed;

    /// <summary>The keyspace's default life of a key, in milliseconds; zero when keys stay.</summary>
    public long TtlMilliseconds { get; set; }

    public override long DefaultExpiry => TtlMilliseconds == 0 ? 0 : _time.Milliseconds + TtlMilliseconds;

    /// <summary>
    /// Evaluates one command, or several that take effect together: then the reply is an array with the reply of each,
    /// and one's error does not hinder the others. When the
    /// request as a whole exceeds a limit, its only reply is that error.
    /// </summary>
    /// <param name="isBatch">Whether the reply is an array, even of one line.</param>
    /// <param name="first">The version of the first change. For reads any that is above those of the rows.</param>
    /// <param name="seed">For random choices; the same when a request is run again after cold rows.</param>
    public EvaluationOutcome Run(
        IRowSource source, ReadOnlySpan<CommandLine> lines, bool isBatch, HybridTime time, RowVersion first, ulong seed)
    {
        (_mayPause, _progress) = (false, null);
        return RunAll(source, lines, isBatch, time, first, seed);
    }

    /// <summary>
    /// Evaluates one command that only looks, or a piece of it: it may end as <see cref="EvaluationOutcome.Paused"/>.
    /// </summary>
    /// <param name="progress">Of the piece before; null for the first.</param>
    public EvaluationOutcome RunPiece(
        IRowSource source, CommandLine line, HybridTime time, RowVersion first, ulong seed, CommandProgress? progress)
    {
        (_mayPause, _progress) = (true, progress);
        return RunAll(source, [line], isBatch: false, time, first, seed);
    }

    private EvaluationOutcome RunAll(
        IRowSource source, ReadOnlySpan<CommandLine> lines, bool isBatch, HybridTime time, RowVersion first, ulong seed)
    {
        Begin(source, time, first);
        if (isBatch)
        {
            _reply.Array(lines.Length);
        }

        ulong state = seed ^ time.Packed;
        for (int i = 0; i < lines.Length; i++)
        {
            _seed = SeededRandom.SplitMix64(ref state);
            Evaluate(lines[i]);
            if (_isCold)
            {
                LookAhead(lines[i..]);
                End();
                return EvaluationOutcome.Cold;
            }

            if (_isAbandoned)
            {
                End();
                _reply.Null();
                return EvaluationOutcome.Done;
            }

            if (_refusal is { } refusal)
            {
                End();
                _reply.Error(refusal);
                return EvaluationOutcome.Done;
            }

            if (_isPaused)
            {
                End();
                return EvaluationOutcome.Paused;
            }
        }

        _rows.Clear();
        _rows.Source = NoRows.Instance;
        return EvaluationOutcome.Done;
    }

    public override bool TryGet(ReadOnlySpan<byte> rowKey, out Row row)
    {
        // Behind a cold row it looks all the same: so the source notes what else will be needed.
        LayOn();
        Lookup lookup = _rows.Get(rowKey, out row);
        if (!MayVisit(rowKey.Length + row.Value.Length))
        {
            row = default;
            return false;
        }

        if (lookup == Lookup.Found && !_isCold && !IsExpired(row))
        {
            return true;
        }

        row = default;
        _isCold |= lookup == Lookup.Cold && Guards.ColdIsNotAbsent;
        return !_isCold;
    }

    public override bool TryScan(in RowRange range, IRowVisitor visitor)
    {
        // A look inside the scan may have met a cold row, too.
        LayOn();
        bool isCold = _isCold || _rows.Scan(range, new LiveRows(this, visitor)) == Lookup.Cold;
        _isCold |= isCold;
        return !_isCold && !_hasSeenTooMuch;
    }

    public override void Pause(CommandProgress progress)
    {
        Invariant.Check(_mayPause, "a command pauses where it may");
        _isPaused = true;
        _progress = progress;
        if (progress.KeyBytes > limits.ReplyBytesMax)
        {
            _refusal ??= $"ERR the reply exceeds {limits.ReplyBytesMax} bytes, nothing was done";
        }
    }

    public override bool MayCompose(long bytes)
    {
        if (bytes <= limits.ComposedBytesMax || !Guards.ComposedValuesAreBounded)
        {
            if (HasRoomFor(bytes, CopiesOfComposedRow))
            {
                return true;
            }

            RefuseForWantOfRoom();
            return false;
        }

        _reply.Error(limits.ComposedBytesMax == RowLimits.ValueBytesMax
            ? Errors.TooLong
            : $"ERR the value would have {bytes} bytes; with the memory of this node (--memory) a command may make one "
                + $"of {limits.ComposedBytesMax} bytes at most out of what stands there, nothing was done");
        return false;
    }

    public override bool HasRoomFor(long changes) => ChangeCount + changes + 1 <= limits.ChangesMax;

    public override void GoOnFrom(Func<CommandProgress> progress)
    {
        if (_isCold && _mayPause && BytesVisited > limits.BytesHeldMax && Guards.PassedRowsAreLetGo)
        {
            _progress = progress();
        }
    }

    public override bool TryVersionOf(RowVersion row, out ValueVersion version)
    {
        Term? term = row == RowVersion.Zero ? Term.Zero : TermAt(row.Index);
        version = new(term ?? Term.Zero, row);
        _isCold |= term is null;
        return term is not null;
    }

    public override void Put(ReadOnlySpan<byte> rowKey, RowType type, long expiry, ReadOnlySpan<byte> value) =>
        Change(new RowChange(rowKey, type, expiry, value));

    public override void Delete(ReadOnlySpan<byte> rowKey) => Change(new RowChange(rowKey, RowType.Tombstone, 0, []));

    public override void ClearAll() => Change(new RowChange(RowKey.Clear, RowType.Clear, 0, []));

    public override void Abandon() => _isAbandoned = true;

    public override void Refuse(string error) => _commandRefusal ??= error;

    private void Begin(IRowSource source, HybridTime time, RowVersion first)
    {
        (_laidOn, _laidOnBytes) = (0, 0);
        _rows.Clear();
        _rows.Source = source;
        _changes = KeptBuffer.Empty(_changes);
        _reply.Clear();
        _reply.LengthMax = limits.ReplyBytesMax;
        _time = time;
        _first = first;
        _refusal = null;
        (ReplyWasTooLong, LackedRoom) = (false, false);
        _isCold = false;
        _isPaused = false;
        _hasSeenTooMuch = false;
        RowsVisited = 1;
        BytesVisited = 0;
        _isAbandoned = false;
        ChangeCount = 0;
    }

    /// <summary>Counts a row that is looked at; false beyond the limit, and then the request is refused.</summary>
    private bool MayVisit(int bytes)
    {
        RowsVisited++;
        BytesVisited += bytes;
        if ((RowsVisited > limits.RowsVisitedMax || BytesVisited > limits.BytesVisitedMax)
            && Guards.RequestsVisitBoundedRows)
        {
            _hasSeenTooMuch = true;
            _refusal ??= $"ERR the request looks at more than {limits.RowsVisitedMax} rows or "
                + $"{limits.BytesVisitedMax} bytes, nothing was done; ask for less at a time (SCAN, a smaller range)";
        }

        return !_hasSeenTooMuch;
    }

    /// <summary>Hands over what <see cref="Changes"/> lie in: they are not here any more.</summary>
    internal ArrayBufferWriter<byte> HandOverChanges()
    {
        ArrayBufferWriter<byte> changes = _changes;
        _changes = new();
        return changes;
    }

    /// <summary>Throws away what was done, and the buffers that were large. Who has taken what it needs calls
    /// it.</summary>
    public void LetGo()
    {
        if (Capacity > KeptBuffer.BytesMax)
        {
            End();
        }
    }

    /// <summary>Throws away what was done.</summary>
    private void End()
    {
        _rows.Clear();
        _rows.Source = NoRows.Instance;
        _changes = KeptBuffer.Empty(_changes);
        _reply.Clear();
        ChangeCount = 0;
    }

    /// <summary>
    /// Looks at the keys of what has not been evaluated, so that their rows are fetched together with the cold one.
    /// </summary>
    private void LookAhead(ReadOnlySpan<CommandLine> lines)
    {
        LayOn();
        foreach (CommandLine line in lines)
        {
            if (CommandTable.Check(line, out _) is { } spec)
            {
                foreach (int word in CommandTable.KeyWordsOf(spec, line))
                {
                    _rows.Get(RowKey.Of(line[word]), out _);
                }
            }
        }
    }

    private void Evaluate(CommandLine line)
    {
        _line = line;
        int replyBefore = _reply.Length;
        int changesBefore = ChangeCount;
        int bytesBefore = _changes.WrittenCount;
        if (CommandTable.Check(line, out string? error) is not { } spec)
        {
            _reply.Error(error!);
            return;
        }

        _commandRefusal = null;
        spec.Run(this);
        if (_isCold || _isAbandoned || _refusal is not null || _isPaused)
        {
            return;
        }

        if (_reply.IsTooLong || _reply.LacksRoom)
        {
            RefuseReply();
            return;
        }

        if (_commandRefusal is { } refusal)
        {
            _reply.CutTo(replyBefore);
            _reply.Error(refusal);
        }

        Invariant.Check(_reply.Length > replyBefore, $"{spec.Name} has written a reply");
        if (_reply.Bytes[replyBefore] == (byte)'-' && Guards.ErrorUndoesItsChanges)
        {
            UndoTo(changesBefore, bytesBefore);
        }

        if (_reply.Length > limits.ReplyBytesMax)
        {
            RefuseReply();
        }
    }

    private void RefuseReply()
    {
        if (_reply.LacksRoom)
        {
            RefuseForWantOfRoom();
            return;
        }

        ReplyWasTooLong = true;
        _refusal = $"ERR the reply exceeds {limits.ReplyBytesMax} bytes, nothing was done";
    }

    /// <summary>Of the whole request: half of a batch could not be done again.</summary>
    private void RefuseForWantOfRoom()
    {
        LackedRoom = true;
        _refusal = Errors.NoHeap;
    }

    private void UndoTo(int count, int bytes)
    {
        if (ChangeCount == count)
        {
            return;
        }

        if (_laidOn > count)
        {
            _rows.CutAfter(new RowVersion(_first.Packed + (ulong)count - 1));
            (_laidOn, _laidOnBytes) = (count, bytes);
        }

        byte[] kept = _changes.WrittenSpan[..bytes].ToArray();
        _changes.ResetWrittenCount();
        _changes.Write(kept);
        ChangeCount = count;
    }

    private void Change(in RowChange change)
    {
        if (_isCold || _refusal is not null || _commandRefusal is not null)
        {
            return;
        }

        if (change.RowKey.Length > RowLimits.RowKeyBytesMax || change.Value.Length > RowLimits.ValueBytesMax)
        {
            Refuse($"ERR a row exceeds {RowLimits.RowKeyBytesMax} bytes of key or {RowLimits.ValueBytesMax} of value");
        }
        else if (ChangeCount >= limits.ChangesMax || NextVersion.Index != _first.Index)
        {
            _refusal = $"ERR the request changes more than {limits.ChangesMax} rows, nothing was done";
        }
        else if (!HasRoomFor(change.EncodedBytes, CopiesOfRow))
        {
            RefuseForWantOfRoom();
        }
        else if ((long)_changes.WrittenCount + change.EncodedBytes > limits.ChangeBytesMax)
        {
            _refusal = $"ERR the changes of the request exceed {limits.ChangeBytesMax} bytes, nothing was done";
        }
        else
        {
            RowChanges.Write(_changes, change);
            ChangeCount++;
        }
    }

    private bool HasRoomFor(long bytes, int copies) => bytes <= Reply.LargeBytes || HeapHasRoom(copies * bytes);

    private void LayOn()
    {
        RowChangeReader reader = RowChanges.Read(_changes.WrittenSpan[_laidOnBytes..]);
        while (reader.TryNext(out RowChange change))
        {
            _rows.Change(change, new RowVersion(_first.Packed + (ulong)_laidOn));
            _laidOn++;
        }

        _laidOnBytes = _changes.WrittenCount;
    }

    private bool IsExpired(in Row row) => row.Expiry != 0 && row.Expiry <= _time.Milliseconds;

    private sealed class LiveRows(CommandEvaluation evaluation, IRowVisitor visitor) : IRowVisitor
    {
        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row) =>
            evaluation.MayVisit(rowKey.Length + row.Value.Length)
            && (evaluation.IsExpired(row) || visitor.Visit(rowKey, row));
    }
}
