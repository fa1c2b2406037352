using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>
/// Writes one table of rows that it is fed, without those that nobody can see any more, piece by piece, until there
/// are no more or the writer is full. When its steps have ended well the file and its name are durable; else it is
/// gone, or will be.
/// </summary>
internal sealed class TableOutput : IRowVisitor, IDisposable
{
    /// <summary>A job pauses when it has worked through so many bytes, so that others may go in between.</summary>
    private const int PauseBytes = 64 * 1024;

    /// <summary>A row becomes part of a block, which is compressed and stored.</summary>
    private const int WriterCopies = 3;

    private readonly StoreContext _context;
    private readonly IRowFeed _rows;
    private readonly RowGarbage _garbage;
    private readonly BlockCipher? _cipher;
    private readonly SSTableIdentity _identity;
    private readonly SSTableWriter _writer;
    private readonly ulong _number;
    private readonly int _exchanges;
    private readonly bool _continues;
    private readonly CountedMemory _memory;
    private int _bytes;

    /// <param name="continues">It continues the run of the table before it.</param>
    public TableOutput(
        StoreContext context, LogIndex createdAt, IRowFeed rows, RowGarbage garbage, bool continues)
    {
        _continues = continues;
        _context = context;
        _rows = rows;
        _garbage = garbage;
        _cipher = context.NewCipher();
        _number = context.NextNumber();
        _identity = new(context.Settings.Partition, _number);
        _writer = new(context.TableSettings, _identity, createdAt, _cipher);
        _exchanges = context.Exchanges;
        _memory = new(context.Budget, MemoryUse.Work);
        File = StoreFileName.OfTable(context.Settings.Prefix, _number);
    }

    public string File { get; }

    public StepEnd End { get; private set; }

    /// <summary>The rows were exchanged meanwhile, so the table is of no use; it was given up.</summary>
    public bool IsOvertaken => _context.Exchanges != _exchanges;

    /// <summary>There are no more rows behind those that it has taken.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>The table, open; null when no row was left to write.</summary>
    public StoreTable? Table { get; private set; }

    public IEnumerable<StoreStep> Steps()
    {
        yield return StoreStep.Pause(0);

        CursorState state = CursorState.Row;
        while (End == StepEnd.Done && !IsOvertaken && state != CursorState.End && !_writer.IsFull)
        {
            _bytes = _rows.LookBytes;
            state = _rows.Feed(this);
            _memory.Set(_writer.MemoryBytes + _rows.MemoryBytes);
            if (IsPieceReady)
            {
                yield return Piece();

                End = _context.LastEnd(File);
            }

            if (End == StepEnd.Done && state == CursorState.Cold)
            {
                yield return StoreStep.All(_rows.ReadCold());

                End = _context.IsDead ? StepEnd.Dead : End;
            }

            yield return StoreStep.Pause(_bytes);
        }

        IsAtEnd = state == CursorState.End;
        if (_writer.Rows > 0 && End == StepEnd.Done && !IsOvertaken)
        {
            yield return StoreStep.All(FinishSteps());
        }

        if (Table is null && _writer.Rows > 0 && End != StepEnd.Dead)
        {
            _context.Delete(File);
        }
    }

    public void Dispose()
    {
        _cipher?.Dispose();
        _memory.Dispose();
    }

    private IEnumerable<StoreStep> FinishSteps()
    {
        _memory.Set(_writer.MemoryBytes + _writer.FinishBytes);
        SSTableInfo info = _writer.Finish();
        while (_writer.ReadyBytes > 0)
        {
            yield return Piece();

            End = _context.LastEnd(File);
            if (End != StepEnd.Done)
            {
                yield break;
            }
        }

        if (Guards.CheckpointSyncedBeforeNamed)
        {
            yield return new DiskOperation(0, DiskOperationKind.Sync, File);

            End = _context.LastEnd(File);
            if (End != StepEnd.Done)
            {
                yield break;
            }
        }

        yield return new DiskOperation(0, DiskOperationKind.SyncFolder, "");

        End = _context.LastEnd(File);
        if (End != StepEnd.Done)
        {
            yield break;
        }

        var entry = new ManifestTable(_number, _identity, info.FileBytes, info.KeyId, _continues);
        var opening = new TableOpening(_context, entry, File);
        yield return StoreStep.All(opening.Steps());

        Table = opening.Table;
        End = opening.End;
    }

    private StoreStep Piece()
    {
        SSTablePiece piece = _writer.Take();
        return new DiskOperation(0, DiskOperationKind.Write, File, piece.Offset, piece.Bytes);
    }

    private bool IsPieceReady => _writer.ReadyBytes >= _context.Settings.Tables.WritePieceBytes;

    /// <summary>Takes a row; has enough when a piece is ready or a pause is due.</summary>
    bool IRowVisitor.Visit(ReadOnlySpan<byte> rowKey, in Row row)
    {
        _bytes += rowKey.Length + row.Value.Length;
        _context.MakeHeapRoom(WriterCopies * (long)row.Value.Length);
        switch (_garbage.Judge(rowKey, row))
        {
            case RowFate.Keep:
                _writer.Add(rowKey, row);
                break;
            case RowFate.BecomeTombstone:
                _writer.Add(rowKey, RowGarbage.Tombstone(rowKey, row.Version));
                break;
            default:
                break;
        }

        return !IsPieceReady && !_writer.IsFull && _bytes < PauseBytes;
    }
}
