namespace Quorate.Node.Commands;

/// <summary>Errors that many commands answer with, worded as Redis 7.0 words them.</summary>
internal static class Errors
{
    public const string WrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";

    /// <summary>Something large would be made, and the process has no memory for it.</summary>
    public const string NoHeap = "OOM the node that leads the key's partition has no memory "
        + "(--memory) for this beside what is under way, nothing was done; try again, or ask for less at once";

    public const string PatternTooLong = "ERR the pattern is longer than 1024 bytes";
    public const string Syntax = "ERR syntax error";
    public const string NotInteger = "ERR value is not an integer or out of range";
    public const string NotFloat = "ERR value is not a valid float";
    public const string NotPositive = "ERR value is out of range, must be positive";
    public const string OutOfRange = "ERR value is out of range";
    public const string OutOfLongRange =
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

    public const string Overflow = "ERR increment or decrement would overflow";
    public const string NanOrInfinity = "ERR increment would produce NaN or Infinity";
    public const string NoSuchKey = "ERR no such key";
    public const string IndexOutOfRange = "ERR index out of range";
    public const string TooLong = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";

    public static string WrongArguments(string command) => $"ERR wrong number of arguments for '{command}' command";

    public static string InvalidExpiry(string command) => $"ERR invalid expire time in '{command}' command";
}
