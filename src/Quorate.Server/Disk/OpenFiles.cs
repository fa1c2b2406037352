using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>
/// The data folder's open files, for several threads. A file that is renamed or removed is forgotten at once and closed
/// when the last who uses it is done.
/// <para>Invariant: beyond the limit only files are open that are in use or wait for a sync.</para>
/// </summary>
internal sealed class OpenFiles(string folder, int filesMax, int flags) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _files = new(StringComparer.Ordinal);
    private long _uses;

    /// <summary>Takes a file into use; it must be given back.</summary>
    public DiskStatus Take(string name, bool create, out Entry? entry)
    {
        lock (_lock)
        {
            if (_files.TryGetValue(name, out entry))
            {
                entry.Users++;
                entry.LastUse = ++_uses;
                return DiskStatus.Done;
            }

            int opening = flags | (create ? NativeFile.Create : 0);
            DiskStatus status = FileHandle.Open(Path.Combine(folder, name), opening, out FileHandle? handle);
            if (status != DiskStatus.Done)
            {
                return status;
            }

            MakeRoom();
            entry = new Entry(name, handle!) { Users = 1, LastUse = ++_uses };
            _files.Add(name, entry);
            return DiskStatus.Done;
        }
    }

    /// <summary>Files that are open now.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _files.Count;
            }
        }
    }

    public void GiveBack(Entry entry)
    {
        lock (_lock)
        {
            entry.Users--;
            CloseIfDone(entry);
        }
    }

    /// <summary>The name means another file, or none, from now on.</summary>
    public void Forget(string name)
    {
        lock (_lock)
        {
            if (_files.Remove(name, out Entry? entry))
            {
                entry.IsForgotten = true;
                CloseIfDone(entry);
            }
        }
    }

    /// <summary>
    /// A file has another name from now on. It stays open: its unsynced bytes may yet meet an error.
    /// </summary>
    public void Rename(string name, string newName)
    {
        lock (_lock)
        {
            Forget(newName);
            if (_files.Remove(name, out Entry? entry))
            {
                entry.Name = newName;
                _files.Add(newName, entry);
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (string name in _files.Keys.ToArray())
            {
                Forget(name);
            }
        }
    }

    private static void CloseIfDone(Entry entry)
    {
        Invariant.Check(entry.Users >= 0, "a file is given back once");
        if (entry.IsForgotten && entry.Users == 0)
        {
            entry.Handle.Dispose();
        }
    }

    private void MakeRoom()
    {
        // Usually one; more when there were too many in use or unsynced before.
        while (_files.Count >= filesMax && OldestUnused() is Entry oldest)
        {
            Forget(oldest.Name);
        }
    }

    private Entry? OldestUnused()
    {
        Entry? oldest = null;
        foreach (Entry entry in _files.Values)
        {
            bool mayClose = entry.Users == 0 && !entry.Handle.IsUnsynced;
            if (mayClose && (oldest is null || entry.LastUse < oldest.LastUse))
            {
                oldest = entry;
            }
        }

        return oldest;
    }

    /// <summary>An open file and how many use it.</summary>
    internal sealed class Entry(string name, FileHandle handle)
    {
        public string Name { get; set; } = name;

        public FileHandle Handle { get; } = handle;

        public int Users { get; set; }

        public long LastUse { get; set; }

        public bool IsForgotten { get; set; }
    }
}
