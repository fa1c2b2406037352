using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>Reads the words of a command line as what a command expects them to be.</summary>
internal static class Words
{
    /// <summary>Digits and sign of any 64-bit integer.</summary>
    public const int IntegerBytesMax = 20;

    /// <summary>The largest number has 309 digits, and more may stand behind the point.</summary>
    private const int FloatBytesMax = 1024;

    /// <summary>Powers of two beyond it are none that a word of that length could bring back into range.</summary>
    private const int FloatPowerMax = 10_000;

    /// <summary>Whether a word is this one, given in capitals, in whatever case.</summary>
    public static bool Is(ReadOnlySpan<byte> word, string capitals) =>
        word.Length == capitals.Length && Ascii.EqualsIgnoreCase(word, capitals);

    /// <summary>
    /// An integer in canonical form: no sign but a minus, no leading zeros, no blanks. What reads back from its number
    /// as the same bytes.
    /// </summary>
    public static bool TryInteger(ReadOnlySpan<byte> word, out long value)
    {
        value = 0;
        bool negative = word.Length > 1 && word[0] == (byte)'-';
        ReadOnlySpan<byte> digits = negative ? word[1..] : word;
        if (digits.Length is 0 or >= IntegerBytesMax || (digits[0] == (byte)'0' && (digits.Length > 1 || negative)))
        {
            return false;
        }

        ulong number = 0;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            // Nineteen digits stay below 2^64.
            number = (number * 10) + (ulong)(digit - '0');
        }

        if (number > (negative ? 1UL << 63 : long.MaxValue))
        {
            return false;
        }

        value = negative ? (long)(0 - number) : (long)number;
        return true;
    }

    /// <summary>As the other overload; an integer that is none is answered with an error.</summary>
    public static bool TryInteger(this CommandContext context, int word, out long value)
    {
        if (TryInteger(context.Line[word], out value))
        {
            return true;
        }

        context.Reply.Error(Errors.NotInteger);
        return false;
    }

    /// <summary>
    /// A number that is at least zero. What is no integer, and what is negative, is answered with an error.
    /// </summary>
    public static bool TryCount(this CommandContext context, int word, out long value, string negativeError)
    {
        if (!context.TryInteger(word, out value))
        {
            return false;
        }

        if (value < 0)
        {
            context.Reply.Error(negativeError);
            return false;
        }

        return true;
    }

    /// <summary>As <see cref="TryCount"/>, with one error for all that is no count.</summary>
    public static bool TryPositive(this CommandContext context, int word, out long value)
    {
        if (TryInteger(context.Line[word], out value) && value >= 0)
        {
            return true;
        }

        context.Reply.Error(Errors.NotPositive);
        return false;
    }

    /// <summary>A number in decimal, perhaps with an exponent, or as C writes it in hexadecimal; or an infinity. Not a
    /// NaN.</summary>
    public static bool TryDouble(ReadOnlySpan<byte> word, out double value)
    {
        value = 0;
        if (word.Length is 0 or > FloatBytesMax)
        {
            return false;
        }

        bool negative = word[0] == (byte)'-';
        ReadOnlySpan<byte> unsigned = negative || word[0] == (byte)'+' ? word[1..] : word;
        if (Is(unsigned, "INF") || Is(unsigned, "INFINITY"))
        {
            value = negative ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }

        if (unsigned.Length > 2 && unsigned[0] == (byte)'0' && unsigned[1] is (byte)'x' or (byte)'X')
        {
            bool isHexadecimal = TryHexadecimal(unsigned[2..], out value) && double.IsFinite(value);
            value = negative ? -value : value;
            return isHexadecimal;
        }

        bool isNumber = unsigned.Length > 0 && unsigned[0] is (>= (byte)'0' and <= (byte)'9') or (byte)'.';
        // The library would let zeros pass at the end.
        return isNumber
            && unsigned[^1] != 0
            && double.TryParse(unsigned, FloatStyles, CultureInfo.InvariantCulture, out value)
            && double.IsFinite(value = negative ? -value : value);
    }

    /// <summary>`7`, `7.8`, `7.8p-3`: sixteen to the place of a digit, and two to the power behind a `p`.</summary>
    private static bool TryHexadecimal(ReadOnlySpan<byte> word, out double value)
    {
        int end = word.IndexOfAny((byte)'p', (byte)'P');
        ReadOnlySpan<byte> digits = end < 0 ? word : word[..end];
        long power = 0;
        bool isPower = end < 0
            || (Utf8Parser.TryParse(word[(end + 1)..], out power, out int length)
                && length == word.Length - end - 1 && Math.Abs(power) < FloatPowerMax);
        int point = digits.IndexOf((byte)'.');
        int count = 0;
        value = 0;
        for (int i = 0; i < digits.Length; i++)
        {
            int digit = i == point ? 0 : ValueOfDigit(digits[i]);
            if (digit < 0)
            {
                return false;
            }

            count += i == point ? 0 : 1;
            value = i == point ? value : (value * 16) + digit;
        }

        int places = point < 0 ? 0 : digits.Length - point - 1;
        value = Math.ScaleB(value, (int)power - (4 * places));
        return isPower && count > 0;
    }

    private static int ValueOfDigit(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };

    public static bool TryDouble(
        this CommandContext context, int word, out double value, string error = Errors.NotFloat)
    {
        if (TryDouble(context.Line[word], out value))
        {
            return true;
        }

        context.Reply.Error(error);
        return false;
    }

    /// <summary>
    /// The sum of two numbers as text: exact for decimals below 10^20 and of up to 28 digits, rounded to 17 places
    /// behind the point; else computed as doubles. Null when it is not finite. False when one is no number.
    /// </summary>
    public static bool TryAdd(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, out string? sum)
    {
        sum = null;
        if (!TryDouble(a, out double first) || !TryDouble(b, out double second))
        {
            return false;
        }

        double rough = first + second;
        if (!double.IsFinite(rough))
        {
            return true;
        }

        if (Math.Abs(first) < DecimalMax && Math.Abs(second) < DecimalMax
            && decimal.TryParse(a, DecimalStyles, CultureInfo.InvariantCulture, out decimal exactFirst)
            && decimal.TryParse(b, DecimalStyles, CultureInfo.InvariantCulture, out decimal exactSecond))
        {
            decimal exact = Math.Round(exactFirst + exactSecond, 17);
            sum = exact == 0 ? "0" : Trimmed(exact.ToString("F17", CultureInfo.InvariantCulture));
            return true;
        }

        sum = PlainText(rough);
        return true;
    }

    /// <summary>A number without exponent, rounded to 17 places behind the point.</summary>
    public static string PlainText(double number) => Trimmed(number.ToString("F17", CultureInfo.InvariantCulture));

    private const NumberStyles FloatStyles = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    private const NumberStyles DecimalStyles = FloatStyles | NumberStyles.AllowLeadingSign;

    /// <summary>Below it, a decimal has room for eight digits behind the point at least.</summary>
    private const double DecimalMax = 1e20;

    private static string Trimmed(string text) => text.TrimEnd('0').TrimEnd('.');
}
