using System.CommandLine;
using System.Text.Json;
using Quorate.Server.Inspection;

namespace Quorate.Cli;

/// <summary>`quorate inspect`: what files of a data folder hold, of a node that does not run.</summary>
internal static class InspectCommand
{
    public static Command Create(TextWriter output, TextWriter errors)
    {
        var path = new Argument<string>("path") { Description = "A file of a data folder, or a folder." };
        var json = new Option<bool>("--json")
        {
            Description = "A JSON object on a line for each file: its name, its length, and what it holds.",
        };
        var command = new Command("inspect", "Says what a data folder's files hold, of a node that does not run.")
        {
            path, json,
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
                bool isFolder = Directory.Exists(named);
                IEnumerable<(string Name, string Text)> files = isFolder
                    ? DataFolderInspector.DescribeAll(named)
                    : [(Path.GetFileName(named), DataFolderInspector.Describe(named))];
                foreach ((string name, string text) in files)
                {
                    string file = isFolder ? Path.Combine(named, name) : named;
                    output.Write(
                        parsed.GetValue(json) ? JsonOf(name, new FileInfo(file).Length, text)
                        : isFolder ? $"== {name}\n{text}"
                        : text);
                }

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

    private static string JsonOf(string file, long bytes, string text) => JsonSerializer.Serialize(
        new { file, bytes, holds = text.Split('\n', StringSplitOptions.RemoveEmptyEntries) }, JsonText.Options) + "\n";
}
