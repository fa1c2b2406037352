using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Tests.SSTable;

namespace Quorate.Storage.Tests.Encryption;

/// <summary>Owns a file of data keys in a test and remembers what it was told.</summary>
internal sealed class KeyRingOwner : IKeyRingClient
{
    public KeyRingOwner(MemoryDisk disk, MasterKey? master)
        : this((IDisk)disk, master)
    {
        Disk = disk;
    }

    public KeyRingOwner(IDisk disk, MasterKey? master)
    {
        Disk = new();
        File = new(disk, master, new SampleEntropy(1), this);
    }

    public MemoryDisk Disk { get; }

    public KeyRingFile File { get; }

    public KeyRing? Ring { get; private set; }

    public int Saves { get; private set; }

    public string? Failure { get; private set; }

    public static MasterKey Master(byte seed) =>
        MasterKey.TryParse([.. Enumerable.Repeat(seed, MasterKey.KeyBytes)], $"master{seed}.key", out _)!;

    public static KeyRingOwner Opened(MemoryDisk disk, byte master = 1, bool mayCreate = true)
    {
        var owner = new KeyRingOwner(disk, Master(master));
        owner.File.Open(mayCreate);
        owner.Run();
        return owner;
    }

    public void Run() => Disk.RunAll();

    public void Save()
    {
        File.Save();
        Run();
    }

    public void KeysOpened(KeyRing ring)
    {
        Assert.Null(Ring);
        Ring = ring;
    }

    public void KeysSaved()
    {
        Assert.Null(Failure);
        Saves++;
    }

    public void KeysFailed(string sentence)
    {
        Assert.Null(Failure);
        Failure = sentence;
    }
}
