using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Metadata;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Tests.Metadata;

/// <summary>The metadata as a group's state machine.</summary>
public sealed class MetadataMachineTests
{
    private readonly MetadataRun _run = new();

    [Fact]
    public void What_is_applied_is_told_and_answered()
    {
        int told = 0;
        var metadata = new ClusterMetadata(new MetadataLimits());
        var machine = new MetadataMachine(metadata, _ => told++);
        _run.AddNode();
        ulong index = 0;
        foreach (byte[] command in _run.Log)
        {
            ReadOnlyMemory<byte> result = machine.Apply(Data(++index, command), resultWanted: true);
            Assert.Equal("", MetadataResult.Parser.ParseFrom(result.Span).Refusal);
        }

        Assert.Equal(2, told);
        machine.Apply(Data(++index, _run.Log[0]), resultWanted: false);
        byte[] refused = new MetadataCommand { DropKeyspace = new() { Keyspace = 9 } }.ToByteArray();
        Assert.NotEqual(
            "", MetadataResult.Parser.ParseFrom(machine.Apply(Data(++index, refused), true).Span).Refusal);
        Assert.Equal(3, told);
    }

    [Fact]
    public void Entries_that_are_no_data_change_nothing()
    {
        var machine = new MetadataMachine(new ClusterMetadata(new MetadataLimits()));
        ulong before = machine.StateHash;
        machine.Apply(new Entry(new LogIndex(1), new Term(1), EntryKind.Barrier, default), resultWanted: false);
        Assert.Equal(before, machine.StateHash);
    }

    [Fact]
    public void A_checkpoint_carries_the_state_over()
    {
        _run.AddNode();
        var first = new MetadataMachine(_run.Metadata);
        var second = new MetadataMachine(new ClusterMetadata(new MetadataLimits()));
        second.Load(first.Snapshot());
        Assert.Equal(first.StateHash, second.StateHash);
    }

    [Fact]
    public void An_unknown_command_or_state_ends_the_replica()
    {
        var machine = new MetadataMachine(new ClusterMetadata(new MetadataLimits()));
        machine.Apply(Data(1, [0xFA, 0x07, 0x00]), resultWanted: true);
        Assert.Contains("does not know", machine.Problem, StringComparison.Ordinal);
        var other = new MetadataMachine(new ClusterMetadata(new MetadataLimits()));
        other.Load(new byte[] { 0xFF, 0xFF, 0xFF });
        Assert.Contains("can not read", other.Problem, StringComparison.Ordinal);
    }

    private static Entry Data(ulong index, byte[] command) =>
        new(new LogIndex(index), new Term(1), EntryKind.Data, command);
}
