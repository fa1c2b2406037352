using System.Globalization;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;
using Quorate.Protocol;

namespace Quorate.Server.Resp;

/// <summary>
/// The databases that SELECT chooses by number: 0 is the keyspace `default`, 1 to 15 are `db1` to `db15`, which the
/// first write to them makes with the settings of `default`. Another node may have made one that this node has not
/// heard of: so whoever must not miss that asks the metadata group first, by a barrier.
/// <para>Invariant: a command on a database that this node does not know is answered as on an empty one only when the
/// metadata group said, after the command had come, that there is none.</para>
/// </summary>
internal sealed class NumberedDatabase : MetadataSteps
{
    /// <summary>Databases, with 0.</summary>
    public const int Count = 16;

    /// <summary>Null: it is asked which there are at all.</summary>
    private readonly string? _name;

    private readonly bool _makes;
    private bool _isMaking;
    private string? _refusal;

    private NumberedDatabase(string? name, bool makes)
    {
        _name = name;
        _makes = makes;
    }

    public static string NameOf(int index) => index == 0
        ? RespClient.DefaultKeyspace
        : string.Create(CultureInfo.InvariantCulture, $"db{index}");

    /// <summary>The number of a keyspace; null when it is chosen by its name alone.</summary>
    public static int? IndexOf(string keyspace)
    {
        for (int index = 0; index < Count; index++)
        {
            if (keyspace == NameOf(index))
            {
                return index;
            }
        }

        return null;
    }

    /// <summary>Whether commands may come to a keyspace of this name before it has been made.</summary>
    public static bool MayBeMade(string keyspace) => IndexOf(keyspace) is > 0;

    /// <summary>
    /// Has the metadata group asked whether the connection's keyspace exists, and makes it where that is wanted. The
    /// command is started again after it, and finds that <see cref="RespRequest.HasSeenMap"/> is set; or it is answered
    /// with an error.
    /// </summary>
    public static void Look(RespRequest request, bool makes) =>
        Look(request, request.Connection.Client.Keyspace, makes);

    /// <summary>As <see cref="Look(RespRequest, bool)"/>, of all databases; none is made.</summary>
    public static void LookForAll(RespRequest request) => Look(request, null, makes: false);

    private static void Look(RespRequest request, string? name, bool makes)
    {
        // Those behind it must not be done before it.
        if (request.Connection.TryBeAlone(request))
        {
            var steps = new NumberedDatabase(name, makes);
            steps.AskBarrier(request);
        }
    }

    public override void Next(RespRequest request)
    {
        if (Outcome != Outcome.Done)
        {
            // The database may have been made; the command that wanted it was not done, and that is what counts.
            string what = _name is null ? "which databases there are" : $"whether there is a database '{_name}'";
            Fail(request, $"{ErrorCodes.ClusterDown} {what} is not known, the metadata group did not answer in time; "
                + "nothing was written, try again");
            return;
        }

        bool isMade = _name is null || request.Connection.Shared.Gateway.View.TryFind(_name, out _);
        bool mayMake = _makes && !isMade;
        if (mayMake && _isMaking)
        {
            // Someone else may have made it meanwhile, where this node has not seen it.
            _refusal = Result!.Refusal;
            _isMaking = false;
            AskBarrier(request);
        }
        else if (mayMake && _refusal is not null)
        {
            Fail(request, $"{ErrorCodes.Error} the database '{_name}' could not be made: {_refusal}");
        }
        else if (mayMake)
        {
            AskToMake(request, _name!);
        }
        else
        {
            request.Steps = null;
            request.HasSeenMap = true;
            Dispatch.Start(request);
        }
    }

    /// <summary>An EXEC ends its transaction, whatever comes of it.</summary>
    private static void Fail(RespRequest request, string error)
    {
        if (request.Connection.Client.Transaction is not null)
        {
            request.Connection.Client.DropTransaction();
            request.Connection.Client.Unwatch();
        }

        request.Error(error);
    }

    private void AskBarrier(RespRequest request) => Ask(request, new() { Barrier = new() }, partitions: 0);

    private void AskToMake(RespRequest request, string name)
    {
        if (!request.Connection.Shared.Gateway.View.TryFind(RespClient.DefaultKeyspace, out KeyspaceView? first))
        {
            Fail(
                request,
                $"{ErrorCodes.Loading} this node does not know the keyspaces yet, nothing was done; try again");
            return;
        }

        KeyspaceRecord record = first.Record.Clone();
        record.Id = 0;
        record.Name = name;
        _isMaking = true;
        Ask(request, new() { CreateKeyspace = new() { Keyspace = record } }, first.Partitions.Count);
    }
}
