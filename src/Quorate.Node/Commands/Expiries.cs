using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>Turns the words of a client into the moment a key expires.</summary>
internal static class Expiries
{
    private const long MillisecondsInSecond = 1000;

    /// <summary>
    /// The moment in milliseconds since 1970, from a number of seconds or milliseconds, since 1970 or from now on.
    /// False when that does not fit into 63 bits. It may be in the past.
    /// </summary>
    public static bool TryMoment(CommandContext context, long number, bool inSeconds, bool fromNow, out long moment)
    {
        moment = 0;
        if (inSeconds
            && number is > long.MaxValue / MillisecondsInSecond or < long.MinValue / MillisecondsInSecond)
        {
            return false;
        }

        moment = inSeconds ? number * MillisecondsInSecond : number;
        if (!fromNow)
        {
            return true;
        }

        if (moment > long.MaxValue - context.Time.Milliseconds)
        {
            return false;
        }

        moment += context.Time.Milliseconds;
        return true;
    }

    /// <summary>
    /// As <see cref="TryMoment"/>, for options that only take what is above zero; anything else has been answered.
    /// </summary>
    public static bool TryPositive(
        CommandContext context, int word, bool inSeconds, bool fromNow, string command, out long moment)
    {
        moment = 0;
        if (!context.TryInteger(word, out long number))
        {
            return false;
        }

        if (number > 0 && TryMoment(context, number, inSeconds, fromNow, out moment))
        {
            return true;
        }

        context.Reply.Error(Errors.InvalidExpiry(command));
        return false;
    }

    /// <summary>Whether a moment has come, so that a key that expires then is gone.</summary>
    public static bool HasCome(CommandContext context, long moment) => moment <= context.Time.Milliseconds;
}
