using Quorate.Core.Model;

namespace Quorate.Simulator.Scripts;

/// <summary>
/// Runs a script: a conversation of one group, told in commands and their output (tests/scripts/README.md).
/// </summary>
public static class ScriptRunner
{
    /// <summary>
    /// The script with the output that its commands gave now in the place of the output that it expected; equal to
    /// <paramref name="text"/> when the script holds.
    /// </summary>
    /// <exception cref="ScriptFailedException">
    /// A line says nothing, or the replicas broke a claim that holds in every script.
    /// </exception>
    public static string Run(string text)
    {
        ScriptText script = ScriptText.Parse(text);
        if (!text.StartsWith("# ", StringComparison.Ordinal))
        {
            throw new ScriptFailedException(1, "a script opens with a comment that says what it shows");
        }

        var world = new ScriptWorld();
        foreach (ScriptBlock block in script.Blocks)
        {
            foreach (ScriptCommandLine command in block.Commands)
            {
                RunOne(world, command);
            }

            block.Actual.AddRange(world.Out.Take());
        }

        return script.Render();
    }

    private static void RunOne(ScriptWorld world, ScriptCommandLine command)
    {
        try
        {
            ScriptCommands.Run(world, command.Text);
            world.Checks.Whole();
        }
        catch (ScriptFailedException e)
        {
            throw new ScriptFailedException(command.Number, e.Message, e);
        }
        catch (InvariantBrokenException e)
        {
            throw new ScriptFailedException(command.Number, $"broken claim: {e.Message}", e);
        }
    }
}
