using Quorate.Core.Model;

namespace Quorate.Storage.Encryption;

/// <summary>
/// The data key that a keyspace encrypts with now: one object for all its partitions, looked at whenever something new
/// is written.
/// </summary>
public sealed class CurrentKey(uint id)
{
    public uint Id { get; private set; } = id;

    /// <summary>
    /// From now on a newer key counts, and the one before is retired: it stays in the ring until the tables that need
    /// it are rewritten and the log has released what was sealed with it (pitfall S9). The newer one is durable.
    /// </summary>
    public void Rotate(KeyRing keys, uint newer)
    {
        Invariant.Check(keys.MayEncrypt(newer), "a key that encrypts is durable and not retired");
        uint former = Id;
        Id = newer;
        if (former != newer)
        {
            keys.Retire(former);
        }
    }
}
