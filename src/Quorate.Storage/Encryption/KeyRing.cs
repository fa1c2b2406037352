using Quorate.Core.Model;

namespace Quorate.Storage.Encryption;

/// <summary>
/// The data keys that a node holds, by id.
/// <para>Invariants: an id is never used for two keys. A retired key encrypts nothing new, and stays: what was
/// encrypted with it is read as long as it lies anywhere (pitfall S9).</para>
/// </summary>
public sealed class KeyRing
{
    /// <summary>Keys in one ring.</summary>
    public const int KeysMax = 4096;

    private readonly SortedDictionary<uint, Held> _keys = [];
    private readonly SortedDictionary<uint, int> _references = [];

    /// <summary>The ids of all keys, ascending.</summary>
    public IReadOnlyCollection<uint> Ids => _keys.Keys;

    /// <summary>Takes a data key, which is durable wherever it comes from. It may encrypt from now on.</summary>
    public void Add(DataKey key)
    {
        Invariant.Check(_keys.Count < KeysMax, "a ring holds a bounded number of data keys");
        bool isNew = _keys.TryAdd(key.Id, new(key));
        Invariant.Check(isNew, "the id of a data key is never used for another");
    }

    public DataKey? Find(uint id) => _keys.GetValueOrDefault(id)?.Key;

    /// <summary>Whether it may encrypt: it is there and not retired.</summary>
    public bool MayEncrypt(uint id) => _keys.TryGetValue(id, out Held? held) && !held.IsRetired;

    public bool IsRetired(uint id) => _keys.TryGetValue(id, out Held? held) && held.IsRetired;

    /// <summary>Nothing new is encrypted with it.</summary>
    public void Retire(uint id)
    {
        if (_keys.TryGetValue(id, out Held? held))
        {
            held.IsRetired = true;
        }
    }

    /// <summary>
    /// Something on disk is encrypted with the key: an open file, a segment of the log. The key need not be here: an
    /// entry may come before it does.
    /// </summary>
    public void Register(uint id) => _references[id] = ReferencesOf(id) + 1;

    /// <summary>What was registered is gone.</summary>
    public void Unregister(uint id)
    {
        int references = ReferencesOf(id);
        Invariant.Check(references > 0, "what is given up was registered");
        if (references == 1)
        {
            _references.Remove(id);
        }
        else
        {
            _references[id] = references - 1;
        }
    }

    /// <summary>How many files and segments of the log are encrypted with it, of those that were read.</summary>
    public int ReferencesOf(uint id) => _references.GetValueOrDefault(id);

    /// <summary>
    /// The cipher for writing a new file; it counts as a reference until it is disposed. Open the file, whose reader
    /// counts as well, before that.
    /// </summary>
    public BlockCipher NewCipher(uint id, IEntropy entropy)
    {
        Invariant.Check(MayEncrypt(id), "a key that encrypts is durable and not retired");
        Span<byte> salt = stackalloc byte[BlockCipher.SaltBytes];
        entropy.Fill(salt);
        return new(this, _keys[id].Key, salt);
    }

    /// <summary>The cipher of a file that exists; null when its key is not here.</summary>
    internal BlockCipher? TryCipher(uint id, ReadOnlySpan<byte> salt) =>
        _keys.TryGetValue(id, out Held? held) ? new(this, held.Key, salt) : null;

    private sealed class Held(DataKey key)
    {
        public DataKey Key => key;

        public bool IsRetired { get; set; }
    }
}
