using Quorate.Simulator.Sweeps;

namespace Quorate.Simulator.Tests;

/// <summary>
/// Exit codes and sentences of the command line: 0 when all held, 1 when not, 2 for what can not be done.
/// </summary>
public sealed class SimulatorCommandTests
{
    [Theory]
    [InlineData("", "Say what to run: --seeds COUNT, --seed N, --scripts FOLDER or --bench. --help tells more.")]
    [InlineData("--seeds 0", "--seeds takes a number from 1 to 1000000000, not '0'.")]
    [InlineData("--seeds 1000000001", "--seeds takes a number from 1 to 1000000000, not '1000000001'.")]
    [InlineData("--seeds many", "--seeds takes a number from 1 to 1000000000, not 'many'.")]
    [InlineData("--seed -1", "--seed takes a number from 0 to 18446744073709551615, not '-1'.")]
    [InlineData("--seeds 1 --threads 0", "--threads takes a number from 1 to 256, not '0'.")]
    [InlineData("--seeds 1 --threads 257", "--threads takes a number from 1 to 256, not '257'.")]
    [InlineData("--seed 1 --milliseconds 0", "--milliseconds takes a number from 1 to 1000000000, not '0'.")]
    [InlineData("--seed 1 --nodes 8", "--nodes takes a number from 1 to 7, not '8'.")]
    [InlineData("--seed 1 --salt -1", "--salt takes a number from 0 to 4294967295, not '-1'.")]
    [InlineData(
        "--seeds 2 --from 18446744073709551615",
        "2 seeds from 18446744073709551615 would go beyond the last one, 18446744073709551615.")]
    [InlineData("--seeds 2 --seed 1", "--seeds and --seed do not go together.")]
    [InlineData("--seed 1 --scripts folder", "--seed and --scripts do not go together.")]
    [InlineData("--seed 1 --bench", "--seed and --bench do not go together.")]
    [InlineData("--seeds 2 --verbose", "--verbose goes with --seed, not with --seeds.")]
    [InlineData("--seeds 2 --shrink", "--shrink goes with --seed, not with --seeds.")]
    [InlineData("--seed 2 --first-failure", "--first-failure goes with --seeds, not with --seed.")]
    [InlineData("--seed 2 --from 5", "--from goes with --seeds, not with --seed.")]
    [InlineData("--seed 2 --verbose --shrink", "--verbose and --shrink do not go together.")]
    [InlineData("--bench --ops 5", "--ops goes with --seeds or --seed, not with --bench.")]
    [InlineData("--scripts /no/such/folder", "There is no folder '/no/such/folder'.")]
    [InlineData("--seeds", "Required argument missing for option: '--seeds'.")]
    [InlineData("--sedes 5", "Unrecognized command or argument")]
    public void What_can_not_be_done_is_said_in_a_sentence(string line, string sentence)
    {
        (int code, string output, string errors) = Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(2, code);
        Assert.StartsWith(sentence, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", errors, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Fact]
    public void An_unknown_kind_of_fault_is_answered_with_the_kinds_that_there_are()
    {
        (int code, _, string errors) = Run("--seed", "1", "--without", "rain");

        Assert.Equal(2, code);
        Assert.StartsWith("'rain' is no kind of fault. There are: drop,", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_and_the_last_seed_can_be_run()
    {
        (int first, string output, _) = Run("--seeds", "1", "--from", "0", "--threads", "1", "--ops", "1");
        Assert.Equal(0, first);
        Assert.Contains("\n1 seeds from 0: 0 failed;", output, StringComparison.Ordinal);

        (int last, output, _) = Run("--seeds", "1", "--from", "18446744073709551615", "--ops", "1");
        Assert.Equal(0, last);
        Assert.Contains("\n1 seeds from 18446744073709551615: 0 failed;", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_seed_that_breaks_no_claim_prints_its_hash_and_what_was_checked()
    {
        (int code, string output, string errors) = Run("--seed", "1", "--without", "all");

        Assert.Equal(0, code);
        Assert.Empty(errors);
        string[] lines = output.Split(Environment.NewLine);
        Assert.Matches("^seed 1 --without [a-z,]+: trace hash [0-9a-f]{16}, [0-9]+ events, ", lines[0]);
        Assert.Matches("^[1-9][0-9]* key histories of [1-9][0-9]* operations checked, [0-9]+ undecided$", lines[1]);
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(100, 1, false)]
    [InlineData(100, 2, true)]
    [InlineData(1000, 10, false)]
    [InlineData(1000, 11, true)]
    public void More_than_one_undecided_history_in_a_hundred_is_too_many(long keys, long undecided, bool tooMany) =>
        Assert.Equal(tooMany, Sweep.IsTooUndecided(keys, undecided));

    [Fact]
    public void Scripts_exit_with_1_when_one_does_not_hold_and_with_2_when_there_is_none()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("quorate-scripts-");
        try
        {
            (int code, _, string errors) = Run("--scripts", folder.FullName);
            Assert.Equal(2, code);
            Assert.StartsWith($"The folder '{folder.FullName}' holds no script", errors, StringComparison.Ordinal);

            File.WriteAllText(Path.Combine(folder.FullName, "wrong.txt"), "Shows nothing.\n\nnonsense\n");
            (code, string output, _) = Run("--scripts", folder.FullName);
            Assert.Equal(1, code);
            Assert.StartsWith("wrong.txt:", output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Help_exits_with_0_and_fits_a_terminal()
    {
        (int code, string output, _) = Run("--help");

        Assert.Equal(0, code);
        Assert.Contains("--first-failure", output, StringComparison.Ordinal);
        Assert.DoesNotContain(output.Split('\n'), line => line.TrimEnd().Length > 110);
    }

    private static (int Code, string Output, string Errors) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        int code = SimulatorCommand.Run(args, output, errors);
        return (code, output.ToString(), errors.ToString());
    }
}
