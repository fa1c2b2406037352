namespace Quorate.Simulator.Scripts;

/// <summary>
/// A script as text: comments, and blocks of commands, each followed by a line <c>---</c> and what the commands
/// are expected to print. A blank line ends a block. Rendering keeps every line that is not expected output as
/// it was, so a rewrite changes nothing else.
/// </summary>
internal sealed class ScriptText
{
    private const string Divider = "---";

    private readonly List<Part> _parts = [];

    public IEnumerable<ScriptBlock> Blocks => _parts.Select(p => p.Block).OfType<ScriptBlock>().Distinct();

    public static ScriptText Parse(string text)
    {
        var script = new ScriptText();
        string[] lines = text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
        ScriptBlock? block = null;
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i];
            if (line.Length == 0)
            {
                block = null;
                script._parts.Add(new(line, null));
            }
            else if (line.StartsWith('#'))
            {
                script._parts.Add(new(line, null));
            }
            else if (line == Divider)
            {
                block = block ?? throw new ScriptFailedException(i + 1, "--- stands without a command before it");
                for (; i + 1 < lines.Length && lines[i + 1].Length > 0; i++)
                {
                    block.Expected.Add(lines[i + 1]);
                }

                block = null;
            }
            else
            {
                block = script.Add(block, i + 1, line);
            }
        }

        return script;
    }

    /// <summary>The whole script again, with what each block has printed in the place of what was expected.</summary>
    public string Render()
    {
        var lines = new List<string>();
        for (int i = 0; i < _parts.Count; i++)
        {
            lines.Add(_parts[i].Line);
            bool ends = _parts[i].Block is not null || _parts[i].Line.StartsWith('#');
            ScriptBlock? block = OpenBlockAt(i);
            if (ends && block is not null && OpenBlockAt(i + 1) != block)
            {
                lines.Add(Divider);
                lines.AddRange(block.Actual);
            }
        }

        return string.Join('\n', lines) + "\n";
    }

    /// <summary>
    /// The block whose commands go on at this part: its own, or around a comment that stands among them.
    /// </summary>
    private ScriptBlock? OpenBlockAt(int at)
    {
        int after = at;
        while (after < _parts.Count && _parts[after].Line.StartsWith('#'))
        {
            after++;
        }

        if (after >= _parts.Count || _parts[after].Block is not ScriptBlock block)
        {
            return null;
        }

        return after == at || block.FirstPart < at ? block : null;
    }

    private ScriptBlock Add(ScriptBlock? block, int number, string line)
    {
        block ??= new ScriptBlock(_parts.Count);
        block.Commands.Add(new(number, line));
        _parts.Add(new(line, block));
        return block;
    }

    private sealed record Part(string Line, ScriptBlock? Block);
}

/// <summary>Commands whose output is judged together.</summary>
internal sealed class ScriptBlock(int firstPart)
{
    public int FirstPart { get; } = firstPart;

    public List<ScriptCommandLine> Commands { get; } = [];

    public List<string> Expected { get; } = [];

    public List<string> Actual { get; } = [];
}

/// <summary>One command of a script and its line, counted from 1.</summary>
internal sealed record ScriptCommandLine(int Number, string Text);
