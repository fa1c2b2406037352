using Quorate.Simulator.Scripts;

namespace Quorate.Simulator.Tests.Scripts;

/// <summary>What scripts themselves do: what they keep, what they refuse, and that a broken claim ends them.</summary>
public sealed class ScriptLanguageTests
{
    [Theory]
    [InlineData("# x\ngroup\nstir 1", 3, "there is no command 'stir'")]
    [InlineData("# x\ngroup\nstate 9", 3, "there is no node 9")]
    [InlineData("# x\ngroup\n\n# y\nheal now", 5, "'heal' does not know what to do with 'now'")]
    [InlineData("# x\ngroup\npropose 1 x speed=3", 3, "'propose' has no option 'speed'")]
    [InlineData("# x\ngroup speed=3", 2, "there is no setting 'speed'")]
    [InlineData("# x\ngroup\npropose 1", 3, "'propose' wants what to write")]
    [InlineData("# x\ngroup\ndeliver", 3, "no such message is on its way")]
    [InlineData("# x\ngroup\nadvance 100", 3, "'100' is not a time such as 100ms")]
    [InlineData("# x\ngroup\nelect 1\ncrash 1\nread 1", 5, "node 1 is down")]
    [InlineData("# x\n---", 2, "--- stands without a command before it")]
    [InlineData("group", 1, "a script opens with a comment that says what it shows")]
    public void A_line_that_says_nothing_is_named_with_a_sentence(string script, int line, string sentence)
    {
        ScriptFailedException e = Assert.Throws<ScriptFailedException>(() => ScriptRunner.Run(script));
        Assert.Equal(line, e.Line);
        Assert.StartsWith(sentence, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_expected_output_is_replaced()
    {
        const string script =
            "# Kept.\n\ngroup nodes=1\n---\nold\n\n\n# Kept too.\nelect 1\n# And this.\nstate\n---\nold\nolder\n";
        const string begin =
            "# Kept.\n\ngroup nodes=1\n---\ngroup {1}\n\n\n# Kept too.\nelect 1\n# And this.\nstate\n---\n1 leads";
        string actual = ScriptRunner.Run(script);
        Assert.StartsWith(begin, actual, StringComparison.Ordinal);
        Assert.DoesNotContain("old", actual, StringComparison.Ordinal);
        Assert.Equal(actual, ScriptRunner.Run(actual));
    }

    [Fact]
    public void Commands_without_expected_output_are_given_theirs()
    {
        string actual = ScriptRunner.Run("# x\ngroup nodes=1\n\nquiet\n");
        Assert.Equal("# x\ngroup nodes=1\n---\ngroup {1}\n\nquiet\n---\n(nothing to show)\n", actual);
    }

    [Fact]
    public void A_script_gives_the_same_output_each_time()
    {
        const string script = "# x\ngroup nodes=5\nrun 3s\npropose 1 x\nrun 1s\nstate\nlog\n";
        Assert.Equal(ScriptRunner.Run(script), ScriptRunner.Run(script));
    }

    [Fact]
    public void A_broken_claim_ends_the_script()
    {
        const string script = "# Two disks.\ngroup\ngiven 1 log=1,1 commit=2\ngiven 2 log=1,2 commit=2\n";
        ScriptFailedException e = Assert.Throws<ScriptFailedException>(() => ScriptRunner.Run(script));
        Assert.Equal(4, e.Line);
        Assert.Equal("broken claim: 2 takes 2@2 for committed where 2@1 was committed", e.Message);
    }

    [Theory]
    [InlineData("crash 1", "1 log: 1@1 (barrier), 2@1 x")]
    [InlineData("crash 1 kept=0", "1 log: 1@1 (barrier)")]
    [InlineData("lose power 1", "1 log: 1@1 (barrier)")]
    public void A_process_death_keeps_the_page_cache_and_a_power_loss_does_not(string death, string log)
    {
        string story = $"# x\ngroup\nelect 1\nlate 1 persist\npropose 1 x\n{death}\nrestart 1\n\nlog 1\n";
        string actual = ScriptRunner.Run(story);
        Assert.EndsWith($"log 1\n---\n{log}\n", actual, StringComparison.Ordinal);
    }
}
