using Quorate.Core.Raft;

namespace Quorate.Simulator.Network;

/// <summary>The messages on their way, in slots that are used again, so that a message costs no allocation.</summary>
internal sealed class MessagePool
{
    private RaftMessage[] _messages = new RaftMessage[64];
    private int[] _free = new int[64];
    private int _freeCount;
    private int _used;

    public int Put(in RaftMessage message)
    {
        int slot = _freeCount > 0 ? _free[--_freeCount] : _used++;
        if (slot == _messages.Length)
        {
            Array.Resize(ref _messages, slot * 2);
            Array.Resize(ref _free, slot * 2);
        }

        _messages[slot] = message;
        return slot;
    }

    public ref readonly RaftMessage Peek(int slot) => ref _messages[slot];

    /// <summary>Lets go of the slot; the message's entries are no longer held by it.</summary>
    public void Release(int slot)
    {
        _messages[slot] = default;
        _free[_freeCount++] = slot;
    }
}
