using Quorate.Core.Model;

namespace Quorate.Storage.Encryption;

/// <summary>
/// The data keys that a node holds, by id.
/// </summary>
public sealed class KeyRing
{
    private readonly SortedDictionary<uint, DataKey> _keys = [];

    public void Add(DataKey key)
    {
        bool isNew = _keys.TryAdd(key.Id, key);
        Invariant.Check(isNew, "the id of a data key is never used for another");
    }

    public DataKey? Find(uint id) => _keys.GetValueOrDefault(id);
}
