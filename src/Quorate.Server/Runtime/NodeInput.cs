using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Node.Cluster;

namespace Quorate.Server.Runtime;

/// <summary>Something for the node that waits in the loop's inbox.</summary>
/// <param name="What">
/// A <see cref="ClientCall"/>, a <see cref="MetadataCall"/>, an action, or a message's bytes.
/// </param>
/// <param name="From">Of a message: who sent it.</param>
/// <param name="By">Of a message: how it came.</param>
/// <param name="Source">Of a message: who wants to know that it waits no longer.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct NodeInput(
    object What, NodeId From = default, PeerClass By = default, IMessageSource? Source = null)
{
    /// <summary>From here on an input counts as large, in bytes.</summary>
    private const int LargeBytes = 64 * 1024;

    /// <summary>What it takes of the inbox's bound on bytes.</summary>
    internal int MessageBytes => What is byte[] message ? message.Length : 0;

    /// <summary>What it holds is not taken in a moment.</summary>
    internal bool IsLarge => What switch
    {
        byte[] message => message.Length >= LargeBytes,
        ClientCall call => call.Bytes >= LargeBytes,
        _ => false,
    };

    /// <summary>Lets the node take it.</summary>
    internal void GiveTo(IDrivenNode node)
    {
        switch (What)
        {
            case ClientCall call:
                node.Submit(call);
                break;
            case byte[] message:
                node.Receive(From, By, message);
                Source?.Taken(message.Length);
                break;
            case MetadataCall call:
                node.Submit(call);
                break;
            case Action<ClusterNode> action:
                node.Look(action);
                break;
            case Action action:
                action();
                break;
            default:
                Invariant.Fail("the inbox holds calls, messages and actions");
                break;
        }
    }
}

/// <summary>Where messages come from that may be sent only while few of them wait here.</summary>
public interface IMessageSource
{
    /// <summary>So many bytes of its messages no longer wait. Any thread may say so.</summary>
    void Taken(int bytes);
}
