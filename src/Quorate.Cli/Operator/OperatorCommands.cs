using System.CommandLine;
using Quorate.Cli.Resp;

namespace Quorate.Cli.Operator;

/// <summary>What all commands that ask a node have in common: how they end when something is in the way.</summary>
internal static class OperatorCommands
{
    /// <summary>Lets a command ask the first node of `--hosts` that answers.</summary>
    /// <param name="name">Of the command, for sentences.</param>
    public static void Ask(
        Command command,
        string name,
        Option<string> hosts,
        TextWriter errors,
        Func<ParseResult, RespLink, ExitCode> run) =>
        command.SetAction(parsed =>
        {
            try
            {
                using RespLink link = NodeOptions.Open(parsed.GetValue(hosts)!, out string problem)
                    ?? throw new CommandProblem(ExitCode.Unavailable, problem);
                return (int)run(parsed, link);
            }
            catch (CommandProblem problem)
            {
                errors.WriteLine($"quorate {name}: {problem.Message}");
                return (int)problem.Code;
            }
            catch (Exception e) when (RespLink.IsOver(e))
            {
                errors.WriteLine($"quorate {name}: the connection is over ({e.Message.TrimEnd('.')}): what was asked "
                    + "may have been done; look, then try again.");
                return (int)ExitCode.Unavailable;
            }
        });

    /// <summary>Asks; an error is the command's.</summary>
    public static RespValue Call(RespLink link, params IReadOnlyList<string> words)
    {
        RespValue reply = link.Call(words);
        return reply.IsError ? throw new CommandProblem(CodeOf(reply.Text), reply.Text) : reply;
    }

    /// <summary>Whether it is the cluster that cannot answer, or the question that is wrong.</summary>
    public static ExitCode CodeOf(string error) =>
        error.Split(' ')[0] is "CLUSTERDOWN" or "LOADING" or "TRYAGAIN" or "REFUSED" or "UNKNOWN"
            ? ExitCode.Unavailable
            : ExitCode.Failed;
}
