using Quorate.Storage.Disk;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>Opens a table's file: what stays in memory of it is read and verified.</summary>
internal sealed class TableOpening(StoreContext context, ManifestTable entry, string file)
{
    public StepEnd End { get; private set; }

    public StoreTable? Table { get; private set; }

    /// <summary>Why it can not be opened, when that is for its owner to judge.</summary>
    public string? Problem { get; private set; }

    /// <param name="isTrusted">A file of this store's own, which damage makes fail; else it is a problem.</param>
    public IEnumerable<StoreStep> Steps(bool isTrusted = true)
    {
        var opening = new SSTableOpening(
            file, entry.Bytes, entry.Identity, context.Settings.Tables, context.Encryption?.Keys);
        while (opening.Wanted is DiskOperation wanted)
        {
            yield return wanted;

            if (context.IsDead)
            {
                End = StepEnd.Dead;
                yield break;
            }

            opening.Take(context.Jobs.Completion);
        }

        Problem = opening.Failure;
        if (opening.Reader is SSTableReader reader)
        {
            context.Cache.Register(reader);
            Table = new(entry, reader);
        }
        else if (isTrusted)
        {
            context.Fail(Problem!);
            End = StepEnd.Dead;
        }
    }
}
