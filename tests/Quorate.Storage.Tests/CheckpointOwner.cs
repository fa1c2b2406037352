using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Checkpoints;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Tests;

/// <summary>Owns a group's checkpoints in a test and remembers what it was told.</summary>
internal sealed class CheckpointOwner : ICheckpointsClient
{
    public const string Prefix = "g1/";

    public CheckpointOwner(IDisk disk)
    {
        Files = new(disk, Prefix, this, new CheckpointSettings { PieceBytes = 300 });
    }

    public CheckpointFiles Files { get; }

    public bool IsOpened { get; private set; }

    public SnapshotMeta? Opened { get; private set; }

    public byte[] OpenedState { get; private set; } = [];

    public List<ulong> Saved { get; } = [];

    public List<(SnapshotMeta Meta, byte[] State)> Received { get; } = [];

    public List<ulong> Refused { get; } = [];

    public List<(SnapshotMeta? Meta, long Offset, byte[] Chunk, bool Done)> Pieces { get; } = [];

    public string? Failure { get; private set; }

    /// <summary>The newest checkpoint that was said to be durable; zero for none.</summary>
    public ulong Newest { get; private set; }

    public static SnapshotMeta Meta(ulong index) => new(
        new(index),
        new((index / 100) + 1),
        new(3),
        Membership.Of([new(1, 1), new(2, 1), new(3, 1)], [new(new(4, 1), LearnerKind.Joining)]),
        [new(new(1), new(1)), new(new(2), new(9))]);

    public static byte[] State(ulong index)
    {
        var random = new SeededRandom(index);
        byte[] state = new byte[random.Between(400, 2000)];
        for (int i = 0; i < state.Length; i++)
        {
            state[i] = (byte)random.Next(256);
        }

        return state;
    }

    public void CheckpointOpened(SnapshotMeta? meta, ReadOnlyMemory<byte> state)
    {
        Assert.False(IsOpened);
        IsOpened = true;
        Opened = meta;
        OpenedState = state.ToArray();
        Newest = meta?.Index.Value ?? 0;
    }

    public void CheckpointSaved(SnapshotMeta meta)
    {
        Saved.Add(meta.Index.Value);
        Newest = Math.Max(Newest, meta.Index.Value);
    }

    public void CheckpointRead(ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done) =>
        Pieces.Add((meta, offset, chunk.ToArray(), done));

    public void SnapshotReceived(SnapshotMeta meta, ReadOnlyMemory<byte> state)
    {
        Received.Add((meta, state.ToArray()));
        Newest = Math.Max(Newest, meta.Index.Value);
    }

    public void SnapshotRefused(SnapshotMeta meta) => Refused.Add(meta.Index.Value);

    public void CheckpointsFailed(string sentence)
    {
        Assert.Null(Failure);
        Failure = sentence;
    }

    /// <summary>The pieces in which a leader would send a checkpoint.</summary>
    public static List<InstallSnapshot> PiecesOf(ulong index)
    {
        var disk = new MemoryDisk();
        var owner = new CheckpointOwner(disk);
        owner.Files.Open();
        owner.Files.Save(Meta(index), State(index));
        disk.RunAll();
        var pieces = new List<InstallSnapshot>();
        long offset = 0;
        do
        {
            owner.Files.Read(1, new(index), offset, 200);
            disk.RunAll();
            (SnapshotMeta? meta, long from, byte[] chunk, bool done) = owner.Pieces[^1];
            Assert.Equal(offset, from);
            pieces.Add(new(meta!, from, chunk, done));
            offset += chunk.Length;
        }
        while (!pieces[^1].Done);
        return pieces;
    }
}
