using System.Globalization;

namespace Quorate.Cli.Shell;

/// <summary>
/// Reads a line at a terminal: keys move, delete and complete, and bring former lines back. It knows the keys that
/// shells have in common, and no more; letters are taken to be one column wide.
/// <para>Invariant: what is shown is the prompt and as much of the line around the cursor as fits into one row.</para>
/// </summary>
/// <param name="history">Former lines, and where this one goes.</param>
/// <param name="complete">What a line, up to the cursor, may go on with: whole lines.</param>
internal sealed class LineEditor(
    TextWriter output, LineHistory history, Func<string, IReadOnlyList<string>> complete)
{
    /// <summary>Of a window that does not say how wide it is, in columns.</summary>
    private const int ColumnsUnlessKnown = 80;

    /// <summary>Possible endings that are listed at most.</summary>
    private const int ListedMax = 60;

    private string _prompt = "";
    private string _text = "";
    private int _at;

    /// <summary>How far back in the history; zero is the new line.</summary>
    private int _back;
    private string _typed = "";
    private bool _isSecondTab;

    /// <summary>The next key; whoever reads it shows nothing of it.</summary>
    public Func<ConsoleKeyInfo> NextKey { get; init; } = () => Console.ReadKey(intercept: true);

    /// <summary>More keys have come already, as when a text is pasted: only the last is worth showing.</summary>
    public Func<bool> MoreKeys { get; init; } = () => Console.KeyAvailable;

    /// <summary>The columns of the window.</summary>
    public Func<int> Columns { get; init; } = () => Console.WindowWidth;

    /// <summary>A line; null at the end (Ctrl-D on an empty line).</summary>
    public string? Read(string prompt)
    {
        (_prompt, _text, _at, _back, _typed) = (prompt, "", 0, 0, "");
        Draw();
        while (true)
        {
            ConsoleKeyInfo key = NextKey();
            bool isControl = key.Modifiers.HasFlag(ConsoleModifiers.Control);
            if (key.Key == ConsoleKey.Enter || key.KeyChar is '\r' or '\n')
            {
                Draw();
                End();
                history.Add(_text);
                return _text;
            }

            if (isControl && key.Key == ConsoleKey.D && _text.Length == 0)
            {
                End();
                return null;
            }

            if (key.Key == ConsoleKey.Tab)
            {
                Complete();
            }
            else
            {
                _isSecondTab = false;
                Take(key, isControl);
            }

            if (!MoreKeys())
            {
                Draw();
            }
        }
    }

    private void Take(ConsoleKeyInfo key, bool isControl)
    {
        switch (key.Key)
        {
            case ConsoleKey.LeftArrow:
            case ConsoleKey.B when isControl:
                _at = Math.Max(0, _at - 1);
                break;
            case ConsoleKey.RightArrow:
            case ConsoleKey.F when isControl:
                _at = Math.Min(_text.Length, _at + 1);
                break;
            case ConsoleKey.Home:
            case ConsoleKey.A when isControl:
                _at = 0;
                break;
            case ConsoleKey.End:
            case ConsoleKey.E when isControl:
                _at = _text.Length;
                break;
            case ConsoleKey.UpArrow:
            case ConsoleKey.P when isControl:
                GoBack(1);
                break;
            case ConsoleKey.DownArrow:
            case ConsoleKey.N when isControl:
                GoBack(-1);
                break;
            case ConsoleKey.C when isControl:
                output.Write("^C");
                End();
                Set("");
                break;
            case ConsoleKey.L when isControl:
                output.Write("\x1b[H\x1b[2J");
                break;
            default:
                Change(key, isControl);
                break;
        }
    }

    private void Change(ConsoleKeyInfo key, bool isControl)
    {
        switch (key.Key)
        {
            case ConsoleKey.Backspace when !isControl:
            case ConsoleKey.H when isControl:
                Delete(_at - 1, _at);
                break;
            case ConsoleKey.Delete:
            case ConsoleKey.D when isControl:
                Delete(_at, _at + 1);
                break;
            case ConsoleKey.U when isControl:
                Delete(0, _at);
                break;
            case ConsoleKey.K when isControl:
                Delete(_at, _text.Length);
                break;
            case ConsoleKey.W when isControl:
            case ConsoleKey.Backspace:
                Delete(WordBefore(), _at);
                break;
            default:
                if (!char.IsControl(key.KeyChar))
                {
                    _text = _text.Insert(_at, key.KeyChar.ToString());
                    _at++;
                }

                break;
        }
    }

    private int WordBefore()
    {
        int at = _at;
        while (at > 0 && _text[at - 1] == ' ')
        {
            at--;
        }

        while (at > 0 && _text[at - 1] != ' ')
        {
            at--;
        }

        return at;
    }

    private void Delete(int from, int to)
    {
        from = Math.Max(0, from);
        to = Math.Min(_text.Length, to);
        if (from < to)
        {
            _text = _text.Remove(from, to - from);
            _at = from;
        }
    }

    private void Set(string text)
    {
        _text = text;
        _at = text.Length;
    }

    private void GoBack(int lines)
    {
        int back = Math.Clamp(_back + lines, 0, history.Lines.Count);
        if (back != _back)
        {
            _typed = _back == 0 ? _text : _typed;
            _back = back;
            Set(back == 0 ? _typed : history.Lines[^back]);
        }
    }

    private void Complete()
    {
        IReadOnlyList<string> found = complete(_text[.._at]);
        string common = found.Count == 0 ? _text[.._at] : found.Aggregate(Common);
        if (common.Length > _at)
        {
            _text = common + _text[_at..];
            _at = common.Length;
            _isSecondTab = false;
        }
        else if (found.Count > 1 && _isSecondTab)
        {
            // Only their last words: the others stand in the line.
            IEnumerable<string> shown = found.Take(ListedMax).Select(line => line.TrimEnd().Split(' ')[^1]);
            string more = found.Count > ListedMax ? " ..." : "";
            End();
            output.WriteLine(string.Join("  ", shown) + more);
        }
        else
        {
            _isSecondTab = true;
        }
    }

    private static string Common(string one, string other)
    {
        int length = 0;
        while (length < one.Length && length < other.Length
            && char.ToUpperInvariant(one[length]) == char.ToUpperInvariant(other[length]))
        {
            length++;
        }

        return one[..length];
    }

    private void End()
    {
        output.Write("\r\n");
        output.Flush();
    }

    private void Draw()
    {
        int columns = Columns() is > 0 and var known ? known : ColumnsUnlessKnown;
        int room = Math.Max(8, columns - _prompt.Length - 1);
        int from = Math.Max(0, Math.Min(_at - (room / 2), _text.Length - room));
        from = _text.Length <= room ? 0 : from;
        string shown = _text.Substring(from, Math.Min(room, _text.Length - from));
        output.Write("\r" + _prompt + shown + "\x1b[K");
        int back = shown.Length - (_at - from);
        output.Write(back > 0 ? string.Create(CultureInfo.InvariantCulture, $"\x1b[{back}D") : "");
        output.Flush();
    }
}
