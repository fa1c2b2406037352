using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>What a replica tells its clients, printed and judged.</summary>
internal static class ScriptAnswers
{
    public static void Show(ScriptWorld world, ScriptReplica replica, RaftOutput output)
    {
        foreach (Acknowledged done in output.Acknowledged)
        {
            ScriptRequest request = world.Requests.Answer(done.Request, Outcome.Done);
            string level = request.WriteLevel is WriteLevel asked ? $" at level {asked}" : "";
            string token = done.Token.Index == LogIndex.Zero ? "" : $", {done.Token}";
            world.Out.Fact($"{replica.Id} acknowledges {request.Name}{level}{token}");
            world.Checks.Acknowledges(replica, request, done.Token);
        }

        foreach (ReadReady ready in output.ReadsReady)
        {
            ScriptRequest request = world.Requests.Answer(ready.Request, Outcome.Done);
            world.Out.Fact($"{replica.Id} answers {request.Name}: {replica.Register.Value}, token {ready.Token}");
            world.Checks.Reads(replica, request);
        }

        foreach (Dropped dropped in output.Dropped)
        {
            Outcome outcome = dropped.Reason.Outcome();
            ScriptRequest request = world.Requests.Answer(dropped.Request, outcome);
            string hint = dropped.LeaderHint.IsNone ? "" : $", ask {dropped.LeaderHint}";
            string verb = outcome == Outcome.Refused ? "refuses" : "does not know the outcome of";
            world.Out.Fact($"{replica.Id} {verb} {request.Name}: {dropped.Reason}{hint}");
        }
    }
}
