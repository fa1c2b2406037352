using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Simulator.Disk;

/// <summary>
/// The disk that lies in every way a disk may. The simulator is told of each submitted operation and calls
/// <see cref="Execute"/> when, and in the order in which, it wants them to end; an operation takes effect then.
/// <para>Process death keeps the page cache; power loss keeps what was synced and, of the rest, what chance keeps:
/// pages in any order, torn at sectors, names as a prefix of their changes. A failed sync leaves bytes that are
/// shown but will never be durable (as Linux does; Rebello and others, "Can Applications Recover from fsync
/// Failures?", ATC 2020). Deterministic: all chance comes from the seed and from the generators handed in.</para>
/// </summary>
public sealed class SimulatedDisk : IDisk
{
    private readonly Action<PendingDiskOperation> _schedule;
    private readonly SeededRandom _random;
    private readonly List<PendingDiskOperation> _pending = [];
    private SimulatedFolder _folder = new();

    /// <summary>Counts submissions and completions, so that a sync knows what it covers.</summary>
    private ulong _number;

    private DiskFailures _coming;
    private bool _isFull;

    /// <param name="schedule">Is called inside Submit; it must call <see cref="Execute"/> later, never at once.</param>
    /// <param name="seed">For what no caller decides: how much of a write goes in when the disk is full.</param>
    public SimulatedDisk(Action<PendingDiskOperation> schedule, ulong seed)
    {
        _schedule = schedule;
        _random = new(seed);
    }

    /// <summary>Beyond this many bytes in all files together, writes that grow a file end in Full.</summary>
    public long CapacityBytes { get; set; } = long.MaxValue;

    public long BytesUsed { get; private set; }

    /// <summary>The failures that have come about so far.</summary>
    public DiskFailures Struck { get; private set; }

    /// <summary>How many have come about so far.</summary>
    public int Strikes { get; private set; }

    /// <summary>Operations that are submitted and not yet executed, in the order of their submission.</summary>
    public IReadOnlyList<PendingDiskOperation> Pending => _pending;

    /// <summary>The names as a process sees them, ascending by ordinal.</summary>
    public IReadOnlyList<string> Names => _folder.Names;

    /// <summary>The names that a power loss leaves for certain.</summary>
    public IReadOnlyList<string> DurableNames => _folder.DurableNames;

    public void Submit(in DiskOperation operation, IDiskClient client)
    {
        var pending = new PendingDiskOperation(operation, client, ++_number);
        _pending.Add(pending);
        _schedule(pending);
    }

    /// <summary>Lets an operation take effect and tells its client; nothing when its process is dead.</summary>
    public void Execute(PendingDiskOperation pending)
    {
        if (pending.IsDropped)
        {
            return;
        }

        Invariant.Check(_pending.Remove(pending), "an operation is executed once");
        DiskCompletion completion = Run(pending);
        pending.Client.Complete(completion);
    }

    /// <summary>
    /// The same machine as it is now, to be broken and looked at while this one goes on. What was asked for and has not
    /// ended is so there too, and ends only with the process.
    /// </summary>
    public SimulatedDisk Copy(ulong seed)
    {
        var copy = new SimulatedDisk(_ => { }, seed)
        {
            _folder = _folder.Copy(), _number = _number, BytesUsed = BytesUsed, CapacityBytes = CapacityBytes,
        };
        copy._pending.AddRange(_pending.Select(each => new PendingDiskOperation(
            each.Operation, each.Client, each.Number)));
        return copy;
    }

    /// <summary>
    /// The process died. Of what it had asked for and not been told of, each operation has happened, or not, or, if
    /// it was a write, in part. The page cache stays.
    /// </summary>
    public void ProcessDied(SeededRandom random)
    {
        foreach (PendingDiskOperation pending in _pending)
        {
            pending.IsDropped = true;
            DiskOperationKind kind = pending.Operation.Kind;
            long fate = random.Next(kind == DiskOperationKind.WriteDurable ? 4 : 3);
            if (fate == 1 && kind is DiskOperationKind.Write or DiskOperationKind.WriteDurable)
            {
                WriteUnsynced(pending.Operation, (int)random.Next(pending.Operation.Data.Length + 1));
            }
            else if (fate == 1 && kind == DiskOperationKind.Allocate)
            {
                Allocate(pending.Operation.File, (int)random.Next(pending.Operation.Length + 1));
            }
            else if (fate == 3)
            {
                WriteUnsynced(pending.Operation, pending.Operation.Data.Length);
            }
            else if (fate > 0)
            {
                Run(pending);
            }
        }

        _pending.Clear();
        _folder.ProcessDied();
    }

    /// <summary>
    /// The power went: the process died, and of what was not synced only what chance wrote back is left.
    /// </summary>
    public void PowerLost(SeededRandom random)
    {
        ProcessDied(random);
        _folder.LosePower(random, Survival.Draw(random));
        _coming = DiskFailures.None;
        BytesUsed = _folder.Bytes();
    }

    /// <summary>
    /// The next Sync of a file, or WriteDurable, ends in Failed; what it covered is shown but never durable, unless
    /// written again.
    /// </summary>
    public void FailNextSync() => FailNext(DiskFailures.Sync);

    /// <summary>The next operation of each kind named ends in Failed, once; see <see cref="DiskFailures"/>.</summary>
    public void FailNext(DiskFailures failures) => _coming |= failures;

    /// <summary>A failure that was to come does not.</summary>
    public void Mend() => _coming = DiskFailures.None;

    /// <summary>While full, every write that grows a file ends in Full, perhaps after a part of it.</summary>
    public void SetFull(bool isFull) => _isFull = isFull;

    /// <summary>
    /// Rot: turns one bit somewhere in the first <paramref name="below"/> durable bytes of a file; says where, or
    /// null when the file has no durable bytes.
    /// </summary>
    public long? FlipBit(SeededRandom random, string file, long below = long.MaxValue)
    {
        SimulatedFile? found = _folder.FindDurable(file);
        long range = Math.Min(below, found?.Durable.Length ?? 0);
        if (found is null || range <= 0)
        {
            return null;
        }

        long offset = random.Next(range);
        found.Flip(offset, (int)random.Next(8));
        return offset;
    }

    /// <summary>A file is there no more, whoever took it away.</summary>
    public void Lose(string file)
    {
        BytesUsed -= _folder.Find(file)?.Length ?? 0;
        _folder.Lose(file);
    }

    /// <summary>Turns one chosen bit of a file's durable bytes.</summary>
    public void FlipBitAt(string file, long offset, int bit)
    {
        SimulatedFile? found = _folder.FindDurable(file);
        Invariant.Check(found is not null, $"file {file} is durable");
        found.Flip(offset, bit);
    }

    /// <summary>A new disk in place of this one; the process that used it must be dead.</summary>
    public void Wipe()
    {
        Invariant.Check(_pending.Count == 0, "the process is dead when its disk is wiped");
        _folder.Clear();
        BytesUsed = 0;
        _coming = DiskFailures.None;
    }

    /// <summary>
    /// A file's bytes as a process sees them; null when there is no such file. Valid until the next operation.
    /// </summary>
    public ReadOnlyMemory<byte>? Content(string file) => _folder.Find(file)?.Content;

    /// <summary>A file's bytes that a power loss leaves for certain; null when it may leave no such file.</summary>
    public ReadOnlyMemory<byte>? DurableContent(string file) => _folder.FindDurable(file)?.Durable;

    private DiskCompletion Run(PendingDiskOperation pending)
    {
        DiskOperation operation = pending.Operation;
        SimulatedFile? file = _folder.Find(operation.File);
        var status = DiskStatus.Done;
        switch (operation.Kind)
        {
            case DiskOperationKind.List or DiskOperationKind.Rename or DiskOperationKind.Delete
                or DiskOperationKind.Truncate when IsStruck(DiskFailures.Names):
                status = DiskStatus.Failed;
                break;
            case DiskOperationKind.List:
                return new(operation.Ticket, DiskStatus.Done, Names: _folder.Names);
            case DiskOperationKind.Write:
                status = Write(operation.File, operation.Offset, operation.Data.Span);
                break;
            case DiskOperationKind.WriteDurable:
                status = WriteDurable(pending);
                break;
            case DiskOperationKind.Allocate:
                status = Allocate(operation.File, operation.Length);
                break;
            case DiskOperationKind.SyncFolder:
                status = IsStruck(DiskFailures.FolderSync) ? DiskStatus.Failed : DiskStatus.Done;
                _folder.Sync(pending.Number, status == DiskStatus.Failed);
                break;
            case DiskOperationKind.Delete:
                if (file is not null)
                {
                    BytesUsed -= file.Length;
                    _folder.Delete(operation.File, ++_number);
                }

                break;
            case var _ when file is null:
                status = DiskStatus.NotFound;
                break;
            case DiskOperationKind.Read when IsStruck(DiskFailures.Read):
                status = DiskStatus.Failed;
                break;
            case DiskOperationKind.Read:
                return new(operation.Ticket, DiskStatus.Done, Piece(file.Content, operation));
            case DiskOperationKind.Truncate:
                BytesUsed -= Math.Max(0, file.Length - operation.Offset);
                file.Truncate(operation.Offset, ++_number);
                break;
            case DiskOperationKind.Sync:
                status = Sync(file, pending.Number, ulong.MaxValue);
                break;
            default:
                Rename(operation);
                break;
        }

        return new(operation.Ticket, status);
    }

    private static byte[] Piece(ReadOnlyMemory<byte> content, in DiskOperation operation)
    {
        int start = (int)Math.Min(operation.Offset, content.Length);
        return content.Span.Slice(start, Math.Min(operation.Length, content.Length - start)).ToArray();
    }

    private void Rename(in DiskOperation operation)
    {
        Invariant.Check(operation.NewName is not null, "a rename names the new name");
        BytesUsed -= _folder.Find(operation.NewName)?.Length ?? 0;
        _folder.Rename(operation.File, operation.NewName, ++_number);
    }

    private DiskStatus Write(string name, long offset, ReadOnlySpan<byte> data)
    {
        SimulatedFile file = _folder.Find(name) ?? _folder.Create(name, ++_number);
        bool fails = IsStruck(DiskFailures.Write);
        if (fails)
        {
            data = data[..(int)_random.Next(data.Length + 1)];
        }

        long growth = Math.Max(0, offset + data.Length - file.Length);
        bool fits = Fits(growth);
        if (!fits)
        {
            long room = data.Length - growth + Room(growth);
            data = data[..(int)_random.Next(Math.Min(room + 1, data.Length))];
            growth = Math.Max(0, offset + data.Length - file.Length);
        }

        if (data.Length > 0)
        {
            file.Write(offset, data, ++_number);
            BytesUsed += growth;
        }

        return fails ? DiskStatus.Failed : fits ? DiskStatus.Done : DiskStatus.Full;
    }

    private void WriteUnsynced(in DiskOperation operation, int length) =>
        Write(operation.File, operation.Offset, operation.Data.Span[..length]);

    private DiskStatus WriteDurable(PendingDiskOperation pending)
    {
        ulong own = _number + 1;
        DiskOperation operation = pending.Operation;
        DiskStatus status = Write(operation.File, operation.Offset, operation.Data.Span);
        return status == DiskStatus.Done ? Sync(_folder.Find(operation.File)!, pending.Number, own) : status;
    }

    private DiskStatus Sync(SimulatedFile file, ulong number, ulong own)
    {
        bool fails = IsStruck(DiskFailures.Sync);
        file.Sync(number, own, fails);
        return fails ? DiskStatus.Failed : DiskStatus.Done;
    }

    private DiskStatus Allocate(string name, int length)
    {
        SimulatedFile file = _folder.Find(name) ?? _folder.Create(name, ++_number);
        bool fails = IsStruck(DiskFailures.Write);
        long growth = Math.Max(0, length - file.Length);
        bool fits = Fits(growth);
        if (!fits || fails)
        {
            growth = _random.Next(Math.Min(Room(growth) + 1, Math.Max(growth, 1)));
        }

        if (growth > 0)
        {
            file.Extend((int)(file.Length + growth), ++_number);
            BytesUsed += growth;
        }

        return fails ? DiskStatus.Failed : fits ? DiskStatus.Done : DiskStatus.Full;
    }

    private bool Fits(long growth) => growth == 0 || (!_isFull && BytesUsed + growth <= CapacityBytes);

    /// <summary>How much of a growth may still go in.</summary>
    private long Room(long growth) => _isFull ? growth : Math.Clamp(CapacityBytes - BytesUsed, 0, growth);

    /// <summary>Whether a failure was to come here; it comes once.</summary>
    private bool IsStruck(DiskFailures failure)
    {
        bool isStruck = (_coming & failure) != DiskFailures.None;
        Struck |= _coming & failure;
        Strikes += isStruck ? 1 : 0;
        _coming &= ~failure;
        return isStruck;
    }
}
