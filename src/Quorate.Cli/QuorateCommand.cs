using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Net.Sockets;
using Quorate.Cli.Load;
using Quorate.Cli.Operator;
using Quorate.Cli.Shell;
using Quorate.Cli.Status;
using Quorate.Cli.Up;

namespace Quorate.Cli;

/// <summary>The command line of the one executable.</summary>
public static class QuorateCommand
{
    /// <summary>Lines of the help are no longer than this.</summary>
    private const int HelpColumns = 110;

    private const string Overview = """
        Quorate, a distributed key-value store that speaks the Redis protocol.

          ./quorate up                             start three nodes here and follow them
          ./quorate status                         nodes, leaders, lags, and what is wrong
          ./quorate shell                          type commands to a node
          ./quorate where KEY                      who has a key, and what there is of it
          ./quorate events --since 1h              what happened on all nodes
          ./quorate keyspace list                  keyspaces; also made, changed and dropped
          ./quorate bench --seconds 5              make a load and measure it
          ./quorate simulate --seeds 200           run 200 simulated clusters with faults, and check each
          ./quorate --help                         every command
        """;

    /// <summary>Reads a command line and does what it says; the exit code of the process.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        ParseResult parsed = Create(output, errors).Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (ParseError error in parsed.Errors)
            {
                errors.WriteLine("quorate: " + error.Message);
            }

            errors.WriteLine("quorate: './quorate --help' lists the commands and their options.");
            return (int)ExitCode.Usage;
        }

        // Signals are the commands' own: a node stops in an order that it knows.
        try
        {
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = output,
                Error = errors,
                ProcessTerminationTimeout = null,
                EnableDefaultExceptionHandler = false,
            });
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            errors.WriteLine($"quorate: {problem.Message}");
            return (int)ExitCode.NoInput;
        }
        catch (Exception problem) when (problem is UriFormatException or SocketException)
        {
            errors.WriteLine($"quorate: an address is none: {problem.Message}");
            return (int)ExitCode.Usage;
        }
        catch (OperationCanceledException)
        {
            return (int)ExitCode.Ok;
        }
    }

    private static RootCommand Create(TextWriter output, TextWriter errors)
    {
        var root = new RootCommand("Quorate, a distributed key-value store that speaks the Redis protocol.")
        {
            UpCommand.Create(),
            ServeCommand.Create(errors),
            StatusCommand.Create(),
            ShellCommand.Create(errors),
            WhereCommand.Create(output, errors),
            EventsCommand.Create(output, errors),
            KeyspaceCommand.Create(output, errors),
            BenchCommand.Create(),
            InspectCommand.Create(output, errors),
        };
        foreach (HelpOption help in root.Options.OfType<HelpOption>())
        {
            help.Action = new HelpAction { MaxWidth = HelpColumns };
        }

        root.SetAction(_ =>
        {
            output.WriteLine(Overview);
            return (int)ExitCode.Ok;
        });
        return root;
    }
}
