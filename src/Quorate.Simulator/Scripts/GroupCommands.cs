using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>Commands that make a group and ask something of it.</summary>
internal static class GroupCommands
{
    /// <summary>group nodes=3 [learners=4:joining,5:standing] [blank=6] [setting=value ...]</summary>
    public static void Group(ScriptWorld world, ScriptWords words)
    {
        uint count = (uint)ScriptWords.Number(words.Option("nodes") ?? "3");
        Learner[] learners = [.. words.List("learners").Select(ScriptWords.Learner)];
        ReplicaId[] voters = [.. Enumerable.Range(1, (int)count).Select(n => new ReplicaId((uint)n, 1))];
        ReplicaId[] blank = [.. words.List("blank").Select(ScriptWords.Replica)];
        foreach ((string key, string value) in words.RestOfOptions())
        {
            world.Settings = ScriptSettings.With(world.Settings, key, value);
        }

        Membership membership = Membership.Of(voters, learners);
        foreach (ReplicaId id in membership.AllReplicas.ToArray())
        {
            world.Place(id, membership).Start();
        }

        foreach (ReplicaId id in blank)
        {
            world.Place(id, bootstrap: null).Start();
        }

        world.Out.Fact($"group {membership}");
    }

    /// <summary>
    /// given N log=1,1,2 [term=T] [vote=V] [commit=C]: node N restarts with a disk that holds entries of these terms.
    /// </summary>
    public static void Given(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Running(words.Next("a node"));
        ulong[] terms = [.. words.List("log").Select(ScriptWords.Number)];
        var entries = terms.Select((t, i) => new Entry(new((ulong)i + 1), new(t), EntryKind.Data, default)).ToArray();
        ulong term = ScriptWords.Number(words.Option("term") ?? $"{terms.Append(0UL).Max()}");
        ulong commit = ScriptWords.Number(words.Option("commit") ?? "0");
        ReplicaId vote = words.Option("vote") is string v ? ScriptWords.Replica(v) : ReplicaId.None;
        replica.Stop();
        replica.Disk.LosePower();
        var write = new Persist { Entries = entries, HardState = new(new(term), vote, new(commit)), MustSync = true };
        replica.Disk.Write(write);
        replica.Disk.Complete(write);
        replica.Start();
        LookCommands.ShowLog(world, replica);
    }

    /// <summary>elect N: N campaigns and all is delivered, without a word but who leads.</summary>
    public static void Elect(ScriptWorld world, ScriptWords words)
    {
        string node = words.Next("a node");
        world.Out.IsMuted = true;
        TimeCommands.LetCampaign(world, world.Running(node));
        world.Settle();
        world.Out.IsMuted = false;
        RaftGroup group = world.Running(node).Group!;
        if (group.Role != Role.Leader)
        {
            throw ScriptWords.Wrong($"{node} is {group.Role} in term {group.Term} and not elected");
        }

        world.Out.Fact($"{group.Id} leads term {group.Term}");
    }

    /// <summary>
    /// propose N x [y ...] [level=leader|majority|2|all] [deadline=5s]; x*1000 stands for a thousand times x.
    /// </summary>
    public static void Propose(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Running(words.Next("a node"));
        WriteLevel level = ScriptWords.WriteLevel(words.Option("level") ?? "majority");
        Func<Instant, Instant> deadline = Deadline(words);
        do
        {
            string text = words.Next("what to write");
            var request = new ScriptRequest(world.Requests.NextId, $"write {text}", replica.Id) { WriteLevel = level };
            world.Requests.Add(request);
            byte[] batch = Payload(text);
            replica.Feed(now => RaftInput.Propose(now, request.Id, batch, level, deadline(now)));
        }
        while (words.HasMore);
    }

    /// <summary>read N [level=linearizable|session|eventual] [token=index@term] [deadline=5s]</summary>
    public static void Read(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Running(words.Next("a node"));
        ReadLevel level = ScriptWords.ReadLevel(words.Option("level") ?? "linearizable");
        ReadToken token = words.Option("token") is string t ? ScriptWords.Token(t) : default;
        Func<Instant, Instant> deadline = Deadline(words);
        var request = new ScriptRequest(world.Requests.NextId, world.Requests.NextReadName(), replica.Id)
        {
            ReadLevel = level, Token = token, MustSee = world.Checks.AcknowledgedWrites(),
        };
        world.Requests.Add(request);
        replica.Feed(now => RaftInput.Read(now, request.Id, level, token, deadline(now)));
    }

    /// <summary>membership N voters=1,2,4 [learners=5:joining,6:standing] [deadline=5s]</summary>
    public static void ChangeMembership(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Running(words.Next("a node"));
        Membership target = Membership.Of(
            words.List("voters").Select(ScriptWords.Replica), words.List("learners").Select(ScriptWords.Learner));
        Func<Instant, Instant> deadline = Deadline(words);
        var request = new ScriptRequest(world.Requests.NextId, $"change to {target}", replica.Id);
        world.Requests.Add(request);
        replica.Feed(now => RaftInput.ProposeMembership(now, request.Id, target, deadline(now)));
    }

    /// <summary>transfer N to M</summary>
    public static void Transfer(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Running(words.Next("a node"));
        words.Take("to");
        ReplicaId target = ScriptWords.Replica(words.Next("whom to hand over to"));
        var request = new ScriptRequest(world.Requests.NextId, $"transfer to {target}", replica.Id);
        world.Requests.Add(request);
        replica.Feed(now => RaftInput.Transfer(now, request.Id, target));
    }

    private static Func<Instant, Instant> Deadline(ScriptWords words)
    {
        Duration? wait = words.Option("deadline") is string text ? ScriptWords.Time(text) : null;
        return now => wait is Duration d ? now + d : Instant.Never;
    }

    private static byte[] Payload(string text)
    {
        int star = text.IndexOf('*', StringComparison.Ordinal);
        return star == 1
            ? [.. Enumerable.Repeat((byte)text[0], (int)ScriptWords.Number(text[2..]))]
            : Encoding.UTF8.GetBytes(text);
    }
}
