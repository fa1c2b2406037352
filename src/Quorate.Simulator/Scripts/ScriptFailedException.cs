namespace Quorate.Simulator.Scripts;

/// <summary>
/// A script cannot go on: a line that says nothing, or a claim of Raft that the replicas have broken.
/// </summary>
public sealed class ScriptFailedException : Exception
{
    public ScriptFailedException()
    {
    }

    public ScriptFailedException(string message)
        : base(message)
    {
    }

    public ScriptFailedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public ScriptFailedException(int line, string sentence, Exception? innerException = null)
        : base(sentence, innerException) => Line = line;

    /// <summary>The line of the script, counted from 1; zero while it is not known yet.</summary>
    public int Line { get; }
}
