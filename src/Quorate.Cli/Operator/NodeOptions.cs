using System.CommandLine;
using Quorate.Cli.Resp;

namespace Quorate.Cli.Operator;

/// <summary>How operators' commands are told which nodes to ask, and in what form to answer.</summary>
internal static class NodeOptions
{
    public static Option<string> Hosts() => new("--hosts")
    {
        Description = "Redis ports of nodes; the first that answers is asked.",
        DefaultValueFactory = _ => "127.0.0.1:7401,127.0.0.1:7402,127.0.0.1:7403",
        HelpName = "host:port,...",
    };

    public static Option<string> Http() => new("--http")
    {
        Description = "HTTP addresses of nodes; the first that answers tells of all others.",
        DefaultValueFactory = _ => "127.0.0.1:7501,127.0.0.1:7502,127.0.0.1:7503",
        HelpName = "host:port,...",
    };

    public static Option<bool> Json(string text) => new("--json") { Description = text };

    /// <summary>Connects to the first of some nodes that answers; null, with a sentence, when none does.</summary>
    public static RespLink? Open(string hosts, out string problem)
    {
        problem = "--hosts names no node.";
        foreach (string host in hosts.Split(
            ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (RespLink.Open(host, out problem) is { } link)
            {
                return link;
            }
        }

        return null;
    }
}

/// <summary>What an operator's command ends with, and the sentence for it.</summary>
internal sealed class CommandProblem(ExitCode code, string sentence) : Exception(sentence)
{
    public ExitCode Code { get; } = code;
}
