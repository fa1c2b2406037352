using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Resp;

/// <summary>
/// Steps of a request of which one or more ask the metadata group; how the last one ended is there when the next step
/// comes.
/// </summary>
internal abstract class MetadataSteps : RequestSteps
{
    /// <summary>Whether the metadata group has done what it was asked last.</summary>
    protected Outcome Outcome { get; private set; }

    /// <summary>What it said; null when it did not come to say anything.</summary>
    protected MetadataResult? Result { get; private set; }

    /// <summary>What whoever asked should know, though it was done.</summary>
    protected string? Warning { get; private set; }

    /// <summary>Asks the metadata group for the connection's deadline at most, then the request takes its next step.
    /// </summary>
    /// <param name="partitions">Of a keyspace that is to be made; otherwise 0.</param>
    public void Ask(RespRequest request, MetadataCommand command, int partitions)
    {
        RespShared shared = request.Connection.Shared;
        command.Time = HybridTime.FromMilliseconds(shared.WallClockMilliseconds).Packed;
        request.Steps = this;
        request.Pending++;
        shared.Gateway.Submit(new Call(request, this)
        {
            Command = command,
            Partitions = partitions,
            Deadline = request.Connection.Calls.Deadline,
        });
    }

    /// <summary>Its end comes to the connection's turn by way of the request's own call.</summary>
    private sealed class Call(RespRequest request, MetadataSteps steps) : MetadataCall
    {
        public override void Complete(Outcome outcome, MetadataResult? result, string? warning)
        {
            (steps.Outcome, steps.Result, steps.Warning) = (outcome, result, warning);
            request.Connection.OnCompleted(request.Call);
        }
    }
}
