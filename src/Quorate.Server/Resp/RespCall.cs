using Quorate.Node.Cluster;

namespace Quorate.Server.Resp;

/// <summary>A call to one partition for a request, or for a part of one.</summary>
internal sealed class RespCall(RespRequest request) : ClientCall
{
    public RespRequest Request { get; } = request;

    /// <summary>It concerns every key of the partition.</summary>
    public bool IsWide { get; set; }

    /// <summary>It has been handed to the node.</summary>
    public bool IsSubmitted { get; set; }

    public CallResult Result { get; private set; }

    /// <summary>Where it waits or runs; null when it does not.</summary>
    public PartitionTrack? Track { get; set; }

    /// <summary>The unfinished call before it in its track.</summary>
    public RespCall? Before { get; set; }

    /// <summary>The unfinished call behind it in its track.</summary>
    public RespCall? After { get; set; }

    /// <summary>In its connection's stack of those that were completed.</summary>
    public RespCall? NextCompleted { get; set; }

    public override void Complete(in CallResult result)
    {
        Result = result;
        Request.Connection.OnCompleted(this);
    }

    public void Clear()
    {
        Session = null;
        IsWide = false;
        IsSubmitted = false;
        IsBatch = false;
        Result = default;
    }
}
