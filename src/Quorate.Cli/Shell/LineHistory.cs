using System.Text;

namespace Quorate.Cli.Shell;

/// <summary>
/// The lines that were typed, the newest last, kept in a file of this user alone. One that cannot be read or written is
/// done without: nobody should lose a shell for it.
/// </summary>
internal sealed class LineHistory
{
    /// <summary>Lines that are kept.</summary>
    private const int LinesMax = 1000;

    /// <summary>A longer line is not kept, in characters.</summary>
    private const int LineCharactersMax = 4096;

    private readonly string? _file;
    private readonly List<string> _lines = [];

    /// <param name="file">Null: nothing is kept beyond the end.</param>
    public LineHistory(string? file)
    {
        _file = file;
        try
        {
            if (file is not null && File.Exists(file))
            {
                _lines.AddRange(File.ReadLines(file).Where(line => line.Length > 0).TakeLast(LinesMax));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _file = null;
        }
    }

    /// <summary>Where this user's is; null when he has no place for it.</summary>
    public static string? FileOfUser
    {
        get
        {
            string folder = Environment.GetFolderPath(
                Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
            return folder.Length == 0 ? null : Path.Combine(folder, "quorate", "shell-history");
        }
    }

    public IReadOnlyList<string> Lines => _lines;

    /// <summary>
    /// Keeps a line, unless it is the one before it again, begins with a blank, or may hold a password.
    /// </summary>
    public void Add(string line)
    {
        bool isKept = line.Length is > 0 and <= LineCharactersMax
            && !char.IsWhiteSpace(line[0])
            && !line.Contains("AUTH", StringComparison.OrdinalIgnoreCase)
            && (_lines.Count == 0 || _lines[^1] != line);
        if (!isKept)
        {
            return;
        }

        _lines.Add(line);
        if (_lines.Count > LinesMax)
        {
            _lines.RemoveAt(0);
        }

        Write();
    }

    private void Write()
    {
        if (_file is null)
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            string aside = _file + ".new";
            using (var writer = new StreamWriter(aside, new UTF8Encoding(false), options))
            {
                foreach (string line in _lines)
                {
                    writer.Write(line + "\n");
                }
            }

            File.Move(aside, _file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The shell goes on without it.
        }
    }
}
