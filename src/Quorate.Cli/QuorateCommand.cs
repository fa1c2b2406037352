using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Quorate.Cli.Load;
using Quorate.Cli.Up;
using Quorate.Server.Runtime;

namespace Quorate.Cli;

/// <summary>The command line of `quorate`: each command has a folder of its own.</summary>
internal static class QuorateCommand
{
    /// <summary>Lines of the help are no longer than this.</summary>
    private const int HelpColumns = 110;

    private const string Overview = """
        Quorate, a distributed key-value store that speaks the Redis protocol.

          ./quorate up                             start three nodes here and follow them
          ./quorate bench --seconds 5              make a load and measure it
          ./quorate simulate --seeds 200           run 200 simulated clusters with faults, and check each
          ./quorate --help                         every command
        """;

    /// <summary>Reads a command line and does what it says; the exit code of the process.</summary>
    public static async Task<int> Run(string[] args, TextWriter output, TextWriter errors)
    {
        ParseResult parsed = Create(output, errors).Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (ParseError error in parsed.Errors)
            {
                await errors.WriteLineAsync($"quorate: {error.Message}").ConfigureAwait(false);
            }

            await errors.WriteLineAsync("quorate: './quorate --help' lists the commands and their options.")
                .ConfigureAwait(false);
            return (int)ExitCode.Usage;
        }

        // Commands that last take the signals by themselves and end in their own time.
        var configuration = new InvocationConfiguration
        {
            Output = output,
            Error = errors,
            ProcessTerminationTimeout = null,
        };
        return await parsed.InvokeAsync(configuration).ConfigureAwait(false);
    }

    private static RootCommand Create(TextWriter output, TextWriter errors)
    {
        var root = new RootCommand("Quorate, a distributed key-value store that speaks the Redis protocol.")
        {
            UpCommand.Create(),
            ServeCommand.Create(errors),
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
