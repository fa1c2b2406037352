using System.Buffers;
using Quorate.Simulator.Disk;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.SSTable;
using Quorate.Storage.Tests.SSTable;

namespace Quorate.Storage.Tests.Encryption;

/// <summary>Data keys: their ring, and the file that keeps them.</summary>
public sealed class KeyRingTests
{
    private readonly SampleEntropy _entropy = new(5);

    [Fact]
    public void Data_keys_survive_a_restart()
    {
        var disk = new MemoryDisk();
        KeyRingOwner owner = KeyRingOwner.Opened(disk);
        byte[][] sealedEntries = new byte[3][];
        for (int i = 0; i < 3; i++)
        {
            owner.Ring!.Create(_entropy);
        }

        owner.Save();
        for (uint id = 1; id <= 3; id++)
        {
            sealedEntries[id - 1] = Seal(owner.Ring!, id);
        }

        owner.Ring!.Retire(2);
        owner.Save();
        Assert.Equal(2, owner.Saves);

        KeyRingOwner next = KeyRingOwner.Opened(disk, mayCreate: false);
        Assert.Equal([1, 2, 3], next.Ring!.Ids);
        Assert.True(next.Ring.IsRetired(2));
        Assert.True(next.Ring.MayEncrypt(1));
        Assert.False(next.Ring.MayEncrypt(2));
        foreach (byte[] entry in sealedEntries)
        {
            using var sealer = new EntrySealer(next.Ring, new(4), _entropy);
            Assert.Equal(EntryOpening.Opened, sealer.TryOpen(entry, new ArrayBufferWriter<byte>()));
        }
    }

    [Fact]
    public void A_new_key_encrypts_only_when_it_is_durable()
    {
        KeyRingOwner owner = KeyRingOwner.Opened(new());
        DataKey key = owner.Ring!.Create(_entropy);
        Assert.False(owner.Ring.MayEncrypt(key.Id));
        owner.Save();
        Assert.True(owner.Ring.MayEncrypt(key.Id));
        owner.Ring.Retire(key.Id);
        Assert.False(owner.Ring.MayEncrypt(key.Id));
        Assert.NotNull(owner.Ring.Find(key.Id));
    }

    [Fact]
    public void A_key_stays_while_anything_refers_to_it()
    {
        KeyRing ring = SampleFile.Ring(SampleFile.Key);
        uint id = SampleFile.Key.Id;
        Assert.False(ring.TryDrop(id, out string sentence));
        Assert.Contains("Retire it first", sentence, StringComparison.Ordinal);
        SampleFile file = new SampleFile(SampleStyle.Encrypted).Write(SampleRows.Draw(1, 30).Values);
        BlockCipher writing = ring.NewCipher(id, _entropy);
        SSTableReader? reader = file.TryOpen(out _, ring);
        ring.Register(id);
        ring.Retire(id);

        Assert.False(ring.TryDrop(id, out sentence));
        Assert.Contains("3 files or log segments", sentence, StringComparison.Ordinal);
        writing.Dispose();
        Assert.False(ring.TryDrop(id, out _));
        Assert.Equal(30, file.ReadAll(reader!, new(SampleRows.Below, SampleRows.Above), out _).Count);
        reader!.Dispose();
        reader.Dispose();
        Assert.False(ring.TryDrop(id, out _));
        ring.Unregister(id);
        Assert.True(ring.TryDrop(id, out _));
        Assert.Null(ring.Find(id));
        Assert.False(ring.TryDrop(id, out sentence));
        Assert.Contains("There is no data key", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void The_id_of_a_dropped_key_is_never_used_again()
    {
        var disk = new MemoryDisk();
        KeyRingOwner owner = KeyRingOwner.Opened(disk);
        DataKey key = owner.Ring!.Create(_entropy);
        owner.Ring.Retire(key.Id);
        Assert.True(owner.Ring.TryDrop(key.Id, out _));
        owner.Save();
        KeyRing again = KeyRingOwner.Opened(disk).Ring!;
        Assert.Empty(again.Ids);
        Assert.Equal(key.Id + 1, again.Create(_entropy).Id);
    }

    [Fact]
    public void A_wrong_master_key_is_told()
    {
        var disk = new MemoryDisk();
        KeyRingOwner owner = KeyRingOwner.Opened(disk, master: 1);
        owner.Ring!.Create(_entropy);
        owner.Save();
        KeyRingOwner other = KeyRingOwner.Opened(disk, master: 2);
        Assert.Null(other.Ring);
        Assert.StartsWith(
            "The master key in master2.key does not open the data keys in keys: ", other.Failure,
            StringComparison.Ordinal);

        var without = new KeyRingOwner(disk, null);
        without.File.Open(mayCreate: true);
        without.Run();
        Assert.Contains("wrapped by a master key, and none was given", without.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_told_unless_nothing_can_be_encrypted_yet()
    {
        Assert.NotNull(KeyRingOwner.Opened(new(), mayCreate: true).Ring);
        KeyRingOwner owner = KeyRingOwner.Opened(new(), mayCreate: false);
        Assert.Null(owner.Ring);
        Assert.Contains(
            "The file keys, which holds the data keys, is missing.", owner.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_flipped_byte_and_every_cut_is_found()
    {
        var disk = new MemoryDisk();
        KeyRingOwner owner = KeyRingOwner.Opened(disk);
        owner.Ring!.Create(_entropy);
        owner.Save();
        byte[] good = (byte[])disk.Content(KeyRingFile.Name).Clone();
        for (int at = 0; at < good.Length; at++)
        {
            byte[] flipped = (byte[])good.Clone();
            flipped[at] ^= (byte)(1 << (at % 8));
            MustBeDamaged(disk, flipped);
            MustBeDamaged(disk, good[..at]);
        }
    }

    [Fact]
    public void Neither_data_keys_nor_the_master_key_stand_in_clear()
    {
        var disk = new MemoryDisk();
        KeyRingOwner owner = KeyRingOwner.Opened(disk, master: 1);
        byte[] key = [.. Enumerable.Range(7, DataKey.KeyBytes).Select(i => (byte)(i * 3))];
        owner.Ring!.Add(new(9, key));
        owner.Save();
        byte[] file = disk.Content(KeyRingFile.Name);
        Assert.True(file.AsSpan().IndexOf(key.AsSpan(0, 4)) < 0);
        Assert.True(file.AsSpan().IndexOf<byte>([1, 1, 1, 1]) < 0);
        Assert.Equal("data key 9", owner.Ring.Find(9)!.ToString());
    }

    [Fact]
    public void A_failing_disk_is_told_and_the_keys_of_before_stay()
    {
        for (int failing = 0; failing < 5; failing++)
        {
            var disk = new MemoryDisk();
            KeyRingOwner owner = KeyRingOwner.Opened(disk);
            owner.Ring!.Create(_entropy);
            owner.Save();
            owner.Ring.Create(_entropy);
            int step = 0;
            DiskStatus status = failing % 2 == 0 ? DiskStatus.Failed : DiskStatus.Full;
            disk.Fate = _ => step++ == failing ? status : DiskStatus.Done;
            owner.Save();
            Assert.Equal(1, owner.Saves);
            Assert.Contains("data keys", owner.Failure, StringComparison.Ordinal);
            Assert.False(owner.Ring.MayEncrypt(2));
            disk.Fate = null;
            KeyRingOwner next = KeyRingOwner.Opened(disk, mayCreate: false);
            Assert.Contains(1U, next.Ring!.Ids);
        }
    }

    [Fact]
    public void Saved_keys_survive_a_crash_after_any_operation()
    {
        for (int at = 0; at < 24; at++)
        {
            for (ulong fate = 0; fate < 12; fate++)
            {
                var disk = new SimulatedDisk(_ => { }, fate);
                var owner = new KeyRingOwner((IDisk)disk, KeyRingOwner.Master(1));
                owner.File.Open(mayCreate: true);
                int saves = Drive(disk, owner, at);
                if (fate > 1)
                {
                    disk.PowerLost(new(fate + (ulong)(at * 50)));
                }
                else
                {
                    disk.ProcessDied(new(fate));
                }

                KeyRing opened = Reopen(disk, saves);

                // What was opened may have been used at once.
                disk.PowerLost(new(fate));
                Assert.Equal(opened.Ids, Reopen(disk, opened.Ids.Count).Ids);
            }
        }
    }

    private static KeyRing Reopen(SimulatedDisk disk, int savesMin)
    {
        var owner = new KeyRingOwner((IDisk)disk, KeyRingOwner.Master(1));
        owner.File.Open(mayCreate: savesMin == 0);
        Drive(disk, owner, int.MaxValue, isSaving: false);
        Assert.Null(owner.Failure);
        Assert.True(owner.Ring!.Ids.Count >= savesMin, $"{savesMin} keys were saved, {owner.Ring.Ids.Count} are there");
        return owner.Ring;
    }

    /// <summary>Saves a new key whenever the one before is saved; how many were.</summary>
    private static int Drive(SimulatedDisk disk, KeyRingOwner owner, int stepsMax, bool isSaving = true)
    {
        var entropy = new SampleEntropy(8);
        int begun = 0;
        for (int i = 0; i < stepsMax && disk.Pending.Count > 0; i++)
        {
            disk.Execute(disk.Pending[0]);
            if (isSaving && owner.Ring is not null && begun == owner.Saves)
            {
                begun++;
                owner.Ring.Create(entropy);
                owner.File.Save();
            }
        }

        return owner.Saves;
    }

    private static void MustBeDamaged(MemoryDisk disk, byte[] content)
    {
        disk.Put(KeyRingFile.Name, content);
        KeyRingOwner owner = KeyRingOwner.Opened(disk, mayCreate: false);
        Assert.Null(owner.Ring);
        Assert.Contains(
            "The file keys, which holds the data keys, is damaged.", owner.Failure, StringComparison.Ordinal);
    }

    private byte[] Seal(KeyRing ring, uint keyId)
    {
        using var sealer = new EntrySealer(ring, new(4), _entropy);
        var output = new ArrayBufferWriter<byte>();
        sealer.Seal(keyId, "payload"u8, output);
        return output.WrittenSpan.ToArray();
    }
}
