using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace Quorate.Simulator;

/// <summary>Makes options that take one whole number within bounds, and answer any other with a sentence.</summary>
internal static class NumberOption
{
    public static Option<T?> Of<T>(string name, string description, T min, T max)
        where T : struct, IBinaryInteger<T> => new(name)
        {
            Description = description,
            Arity = ArgumentArity.ExactlyOne,
            HelpName = "number",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T value)
                    && value >= min && value <= max)
                {
                    return value;
                }

                result.AddError(string.Create(
                    CultureInfo.InvariantCulture, $"{name} takes a number from {min} to {max}, not '{text}'."));
                return null;
            },
        };
}
