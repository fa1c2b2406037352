using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Simulator.Disk;

/// <summary>
/// The names of a <see cref="SimulatedDisk"/>: as they are seen, as a power loss leaves them for certain, and the
/// changes between the two.
/// <para>Invariant: name changes survive in their order, a prefix of them, as on a journalling file system.</para>
/// </summary>
internal sealed class SimulatedFolder
{
    private readonly List<Change> _changes = [];
    private SortedDictionary<string, SimulatedFile> _seen = new(StringComparer.Ordinal);
    private SortedDictionary<string, SimulatedFile> _durable = new(StringComparer.Ordinal);

    /// <summary>A sync of the folder failed: until the process dies none makes anything certain.</summary>
    private bool _isStuck;

    private enum ChangeKind : byte
    {
        Create,
        Rename,
        Delete,
    }

    public IReadOnlyList<string> Names => [.. _seen.Keys];

    public IReadOnlyList<string> DurableNames => [.. _durable.Keys];

    public SimulatedFile? Find(string name) => _seen.GetValueOrDefault(name);

    public SimulatedFile? FindDurable(string name) => _durable.GetValueOrDefault(name);

    public SimulatedFile Create(string name, ulong number)
    {
        var file = new SimulatedFile();
        Do(_seen, new(ChangeKind.Create, name, "", file, number));
        return file;
    }

    public void Rename(string name, string newName, ulong number) =>
        Do(_seen, new(ChangeKind.Rename, name, newName, _seen[name], number));

    public void Delete(string name, ulong number) => Do(_seen, new(ChangeKind.Delete, name, "", _seen[name], number));

    /// <summary>
    /// Makes durable what was complete when operation <paramref name="number"/> was submitted. After one that failed
    /// all later ones of the same process end well and mean nothing, so that whoever tries again is found out.
    /// </summary>
    public void Sync(ulong number, bool failed)
    {
        _isStuck |= failed;
        int covered = 0;
        while (!_isStuck && covered < _changes.Count && _changes[covered].Number < number)
        {
            Apply(_durable, _changes[covered]);
            covered++;
        }

        _changes.RemoveRange(0, covered);
    }

    public void ProcessDied() => _isStuck = false;

    public void LosePower(SeededRandom random, in Survival survival)
    {
        int survivors = survival.PagePpm switch
        {
            0 => 0,
            1_000_000 => _changes.Count,
            _ => (int)random.Next(_changes.Count + 1),
        };
        foreach (Change change in _changes.Take(survivors))
        {
            Apply(_durable, change);
        }

        _changes.Clear();
        _seen = new(_durable, StringComparer.Ordinal);
        foreach (SimulatedFile file in _seen.Values)
        {
            file.LosePower(random, survival);
        }
    }

    /// <summary>The same names and files, which change apart from these.</summary>
    public SimulatedFolder Copy()
    {
        // A file may be seen under one name and durable under another.
        var copies = new Dictionary<SimulatedFile, SimulatedFile>();
        var copy = new SimulatedFolder { _isStuck = _isStuck, _seen = Names(_seen), _durable = Names(_durable) };
        copy._changes.AddRange(_changes.Select(change => change with { File = Of(change.File) }));
        return copy;

        SimulatedFile Of(SimulatedFile file)
        {
            if (!copies.TryGetValue(file, out SimulatedFile? found))
            {
                found = file.Copy();
                copies.Add(file, found);
            }

            return found;
        }

        SortedDictionary<string, SimulatedFile> Names(SortedDictionary<string, SimulatedFile> names)
        {
            var all = new SortedDictionary<string, SimulatedFile>(StringComparer.Ordinal);
            foreach ((string name, SimulatedFile file) in names)
            {
                all.Add(name, Of(file));
            }

            return all;
        }
    }

    /// <summary>A file goes, from what is seen and from what is durable.</summary>
    public void Lose(string name)
    {
        Invariant.Check(_changes.Count == 0, "a file is lost while nobody uses the disk, behind a loss of power");
        _seen.Remove(name);
        _durable.Remove(name);
    }

    public void Clear()
    {
        _isStuck = false;
        _changes.Clear();
        _seen.Clear();
        _durable.Clear();
    }

    /// <summary>What the files that are seen hold together, in bytes.</summary>
    public long Bytes() => _seen.Values.Sum(file => (long)file.Length);

    private static void Apply(SortedDictionary<string, SimulatedFile> names, in Change change)
    {
        if (change.Kind == ChangeKind.Create)
        {
            names[change.Name] = change.File;
            return;
        }

        names.Remove(change.Name);
        if (change.Kind == ChangeKind.Rename)
        {
            names[change.NewName] = change.File;
        }
    }

    private void Do(SortedDictionary<string, SimulatedFile> names, in Change change)
    {
        Apply(names, change);
        _changes.Add(change);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Change(
        ChangeKind Kind, string Name, string NewName, SimulatedFile File, ulong Number);
}
