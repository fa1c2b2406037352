using System.CommandLine;
using Quorate.Server.Inspection;

namespace Quorate.Cli;

/// <summary>`quorate inspect`: what files of a data folder hold, of a node that does not run.</summary>
internal static class InspectCommand
{
    public static Command Create(TextWriter output, TextWriter errors)
    {
        var path = new Argument<string>("path") { Description = "A file of a data folder, or a folder." };
        var command = new Command("inspect", "Says what a data folder's files hold, of a node that does not run.")
        {
            path,
        };
        command.SetAction(parsed =>
        {
            string named = parsed.GetRequiredValue(path);
            if (!Path.Exists(named))
            {
                errors.WriteLine($"quorate: there is no {named}: name a data folder of a node, or a file in it.");
                return (int)ExitCode.NoInput;
            }

            try
            {
                output.Write(Directory.Exists(named)
                    ? DataFolderInspector.DescribeAll(named)
                    : DataFolderInspector.Describe(named));
                return (int)ExitCode.Ok;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                errors.WriteLine($"quorate: {named} cannot be read: {e.Message}");
                return (int)ExitCode.Unavailable;
            }
        });
        return command;
    }
}
