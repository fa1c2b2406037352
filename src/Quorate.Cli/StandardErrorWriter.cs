using System.Text;
using Quorate.Server.Runtime;

namespace Quorate.Cli;

/// <summary>
/// Errors of commands: a line whose reader stands still is given up after a time, and the command ends.
/// </summary>
internal sealed class StandardErrorWriter : TextWriter
{
    /// <summary>How long a line waits for its reader.</summary>
    private const int LineMilliseconds = 1000;

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value) =>
        StandardStream.Error.Write(Encoding.UTF8.GetBytes(value ?? ""), LineMilliseconds);

    public override void WriteLine(string? value) => Write(value + "\n");

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));
}
