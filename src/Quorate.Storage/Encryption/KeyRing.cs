using Quorate.Core;
using Quorate.Core.Model;

namespace Quorate.Storage.Encryption;

/// <summary>
/// The data keys that a node holds, by id.
/// <para>Invariants: an id is never used for two keys. A key encrypts nothing before it is durable (a ring that is
/// kept in a file, see <see cref="KeyRingFile"/>). A retired key encrypts nothing new, and stays while anything that
/// was encrypted with it is registered, or as long as something is unread that may refer to it (pitfall S9).</para>
/// </summary>
/// <param name="isKept">Whether its keys must be saved in a file before they are used.</param>
public sealed class KeyRing(bool isKept = false)
{
    /// <summary>Keys in one ring.</summary>
    public const int KeysMax = 4096;

    private readonly SortedDictionary<uint, Held> _keys = [];
    private readonly SortedDictionary<uint, int> _references = [];
    private uint _nextId = 1;
    private int _unread;

    /// <summary>The ids of all keys, ascending.</summary>
    public IReadOnlyCollection<uint> Ids => _keys.Keys;

    internal uint NextId => _nextId;

    /// <summary>Makes a new data key. It may be used once it is saved.</summary>
    public DataKey Create(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[DataKey.KeyBytes];
        entropy.Fill(bytes);
        var key = new DataKey(_nextId, bytes);
        bytes.Clear();
        Add(key);
        return key;
    }

    /// <summary>Takes a data key that was made elsewhere. It may be used once it is saved.</summary>
    public void Add(DataKey key)
    {
        Invariant.Check(_keys.Count < KeysMax, "a ring holds a bounded number of data keys");
        bool isNew = _keys.TryAdd(key.Id, new(key));
        Invariant.Check(isNew, "the id of a data key is never used for another");
        _nextId = Math.Max(_nextId, key.Id + 1);
    }

    public DataKey? Find(uint id) => _keys.GetValueOrDefault(id)?.Key;

    /// <summary>Whether it may encrypt: it is there, durable and not retired.</summary>
    public bool MayEncrypt(uint id) =>
        _keys.TryGetValue(id, out Held? held) && !held.IsRetired && (held.IsSaved || !isKept);

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
    /// A store or a log may hold what is encrypted with any of the keys: none is dropped until <see cref="NoteRead"/>.
    /// Stores and logs say so themselves, from when they are made; whoever makes them later than at the start says so
    /// for them until then.
    /// </summary>
    public void NoteUnread() => _unread++;

    /// <summary>What it holds is registered, or gone.</summary>
    public void NoteRead()
    {
        Invariant.Check(_unread > 0, "what was read was unread before");
        _unread--;
    }

    /// <summary>
    /// Forgets a key for ever; it leaves the file when that is saved next. False with a sentence when it must stay.
    /// </summary>
    public bool TryDrop(uint id, out string sentence)
    {
        sentence = "";
        if (!_keys.TryGetValue(id, out Held? held))
        {
            sentence = $"There is no data key {id}.";
        }
        else if (!held.IsRetired)
        {
            sentence = $"Data key {id} is in use. Retire it first.";
        }
        else if (_unread > 0 && Guards.UnreadFilesKeepAllKeys)
        {
            sentence = $"Data key {id} must stay until all stores and the log are open: {_unread} are not, and may "
                + "need it. Try again later.";
        }
        else if (ReferencesOf(id) > 0 && Guards.DroppedKeysAreUnreferenced)
        {
            sentence = $"Data key {id} must stay: {ReferencesOf(id)} files or log segments are encrypted with it. "
                + "They are rewritten and released in the background. Try again later.";
        }

        return sentence.Length == 0 && _keys.Remove(id);
    }

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

    internal void MarkSaved(uint id)
    {
        if (_keys.TryGetValue(id, out Held? held))
        {
            held.IsSaved = true;
        }
    }

    internal void ContinueFrom(uint nextId) => _nextId = Math.Max(_nextId, nextId);

    private sealed class Held(DataKey key)
    {
        public DataKey Key => key;

        public bool IsRetired { get; set; }

        public bool IsSaved { get; set; }
    }
}
