using Google.Protobuf;
using Google.Protobuf.Collections;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Tests.Cluster;

/// <summary>The data keys that the metadata brings: which of them counts, and which stay.</summary>
public sealed class DataKeyTests : IEntropy
{
    private readonly MasterKey _master = MasterKey.TryParse(new byte[32], "a test", out _)!;
    private readonly List<string> _said = [];
    private readonly DataKeys _keys;
    private byte _drawn;

    public DataKeyTests() => _keys = new(_master);

    [Fact]
    public void A_newer_key_counts_for_whoever_holds_the_current_one_and_retires_the_one_before()
    {
        RepeatedField<DataKeyRecord> records = [Record(1, keyspace: 5), Record(2, keyspace: 6)];
        _keys.Take(records, _said.Add);
        CurrentKey current = _keys.CurrentOf(5)!;
        Assert.Equal(1u, current.Id);

        records[0].Retired = true;
        records.Add(Record(3, keyspace: 5));
        _keys.Take(records, _said.Add);
        _keys.Take(records, _said.Add);

        Assert.Same(current, _keys.CurrentOf(5));
        Assert.Equal(3u, current.Id);
        Assert.True(_keys.Ring.IsRetired(1));
        Assert.Equal(2u, _keys.CurrentOf(6)!.Id);
        Assert.True(_keys.Ring.MayEncrypt(2));
        Assert.Empty(_said);
    }

    [Fact]
    public void Where_the_newer_key_does_not_open_the_one_before_goes_on()
    {
        RepeatedField<DataKeyRecord> records = [Record(1, keyspace: 5)];
        _keys.Take(records, _said.Add);
        records[0].Retired = true;
        records.Add(Record(2, keyspace: 5, MasterKey.TryParse(Enumerable.Repeat((byte)9, 32).ToArray(), "x", out _)));
        _keys.Take(records, _said.Add);

        Assert.Equal(1u, _keys.CurrentOf(5)!.Id);
        Assert.True(_keys.Ring.MayEncrypt(1));
        Assert.Contains("data key 2", Assert.Single(_said), StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_starts_later_takes_the_key_that_counts_and_holds_the_retired_one()
    {
        RepeatedField<DataKeyRecord> records = [Record(1, keyspace: 5), Record(2, keyspace: 5)];
        records[0].Retired = true;
        _keys.Take(records, _said.Add);

        Assert.Equal(2u, _keys.CurrentOf(5)!.Id);
        Assert.NotNull(_keys.Ring.Find(1));
        Assert.False(_keys.Ring.MayEncrypt(1));
        Assert.Null(_keys.CurrentOf(6));
    }

    void IEntropy.Fill(Span<byte> bytes) => bytes.Fill(++_drawn);

    private DataKeyRecord Record(uint id, uint keyspace, MasterKey? master = null) => new()
    {
        Id = id,
        Keyspace = keyspace,
        Wrapped = ByteString.CopyFrom(WrappedKey.New(master ?? _master, this)),
    };
}
