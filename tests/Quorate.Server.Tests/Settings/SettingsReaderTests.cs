using System.Collections;
using System.Net;
using Quorate.Server.Settings;
using Quorate.Server.Tests.Disk;

namespace Quorate.Server.Tests.Settings;

/// <summary>Where settings come from, which wins, and what is said when one is wrong.</summary>
public sealed class SettingsReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string ConfigFile => Path.Combine(_folder.Path, "quorate.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nothing_said_is_the_documented_default()
    {
        ServerSettings settings = Read([], []);
        Assert.Equal(IPAddress.Loopback, settings.Bind);
        Assert.Equal((7401, 7501, 7601), (settings.RespPort, settings.HttpPort, settings.PeerPort));
        Assert.Equal("127.0.0.1:7601", settings.PeerAddress);
        Assert.Equal(5000, settings.RequestDeadlineMilliseconds);
        Assert.False(settings.Insecure);
    }

    [Fact]
    public void Flags_win_over_the_environment_and_that_over_the_file()
    {
        File.WriteAllText(
            ConfigFile, """{ "resp-port": 1, "http-port": 2, "peer-port": 3, "seeds": ["a:1", "b:2"] }""");
        ServerSettings settings = Read(
            [("peer-port", "30")], new() { ["QUORATE_PEER_PORT"] = "20", ["QUORATE_HTTP_PORT"] = "21" });
        Assert.Equal((1, 21, 30), (settings.RespPort, settings.HttpPort, settings.PeerPort));
        Assert.Equal(["a:1", "b:2"], settings.Seeds);
    }

    [Theory]
    [InlineData("memory", "1GiB", 1L << 30)]
    [InlineData("memory", "768 MiB", 768L << 20)]
    [InlineData("memory", "1073741824", 1L << 30)]
    public void Sizes_have_units(string name, string text, long bytes) =>
        Assert.Equal(bytes, Read([(name, text)], []).MemoryBytes);

    [Theory]
    [InlineData("resp-port", "0")]
    [InlineData("resp-port", "65536")]
    [InlineData("resp-port", "+7")]
    [InlineData("memory", "1KiB")]
    [InlineData("memory", "99999999999GiB")]
    [InlineData("memory", "plenty")]
    [InlineData("bind", "localhost:1")]
    [InlineData("seeds", "a:1,b")]
    [InlineData("seeds", "a:1,A:1")]
    [InlineData("advertise-peer", "here")]
    [InlineData("insecure", "perhaps")]
    [InlineData("request-deadline-ms", "1")]
    public void A_value_that_cannot_be_is_an_error_that_names_it_and_its_place(string name, string value)
    {
        File.WriteAllText(ConfigFile, "{}");
        string flag = Problem([(name, value)], []);
        Assert.StartsWith("--" + name + ":", flag, StringComparison.Ordinal);
        Assert.Contains(value, flag, StringComparison.Ordinal);
        string variable = SettingTable.Find(name)!.EnvironmentName;
        string environment = Problem([], new() { [variable] = value });
        Assert.StartsWith(variable, environment, StringComparison.Ordinal);
        File.WriteAllText(ConfigFile, $$"""{ "{{name}}": "{{value}}" }""");
        Assert.Contains(ConfigFile, Problem([], []), StringComparison.Ordinal);
    }

    [Fact]
    public void A_setting_that_does_not_exist_is_an_error()
    {
        File.WriteAllText(ConfigFile, "{}");
        Assert.Contains("QUORATE_FOO", Problem([], new() { ["QUORATE_FOO"] = "1" }), StringComparison.Ordinal);
        File.WriteAllText(ConfigFile, """{ "resp_port": 1 }""");
        Assert.Contains("'resp_port'", Problem([], []), StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_for_developers_are_no_settings() =>
        Assert.Equal(new ServerSettings(), Read([], new() { ["QUORATE_MUTANT"] = "x", ["QUORATE_REWRITE"] = "1" }));

    [Theory]
    [InlineData("{")]
    [InlineData("[1]")]
    public void A_file_that_holds_no_settings_is_an_error(string text)
    {
        File.WriteAllText(ConfigFile, text);
        Assert.Contains(ConfigFile, Problem([], []), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data", "5")]
    [InlineData("data", "null")]
    [InlineData("zone", "[\"a\"]")]
    [InlineData("resp-port", "\"7401\"")]
    [InlineData("resp-port", "true")]
    [InlineData("resp-port", "7401.5")]
    [InlineData("memory", "{}")]
    [InlineData("seeds", "[7601]")]
    [InlineData("insecure", "\"yes\"")]
    [InlineData("insecure", "1")]
    public void A_value_of_another_type_in_the_file_is_an_error_that_names_the_key(string name, string value)
    {
        File.WriteAllText(ConfigFile, $$"""{ "{{name}}": {{value}} }""");
        string problem = Problem([], []);
        Assert.StartsWith($"'{name}' in {ConfigFile}", problem, StringComparison.Ordinal);
        Assert.Contains(value, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_in_the_file_twice_is_an_error_that_names_it()
    {
        File.WriteAllText(ConfigFile, """{ "resp-port": 1, "zone": "a", "resp-port": 1 }""");
        Assert.StartsWith($"'resp-port' in {ConfigFile} is there twice", Problem([], []), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_says_all_of_it_is_read()
    {
        File.WriteAllText(ConfigFile, """
            { "data": "x", "seeds": "a:1,b:2", "expect": 2, "memory": 536870912, "insecure": false, "weight": 50,
              "cluster-port": 7701 }
            """);
        ServerSettings settings = Read([], []);
        Assert.Equal(("x", 2, 512L << 20, 50, 7701), (
            settings.Data, settings.Expect, settings.MemoryBytes, settings.Weight, settings.ClusterPort));
    }

    [Fact]
    public void A_file_that_is_named_must_be_there() =>
        Assert.Contains("cannot be read", Problem([], []), StringComparison.Ordinal);

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.1")]
    [InlineData("::")]
    public void Others_than_this_machine_are_let_in_only_on_demand(string address)
    {
        File.WriteAllText(ConfigFile, "{}");
        Assert.Contains("--insecure", Problem([("bind", address)], []), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_address_is_none_that_others_can_be_told()
    {
        File.WriteAllText(ConfigFile, "{}");
        List<(string, string)> flags = [("bind", "0.0.0.0"), ("insecure", "true"), ("advertise-peer", "a:1")];
        Assert.Contains("--advertise-resp", Problem(flags, []), StringComparison.Ordinal);
        flags.AddRange([("advertise-resp", "a:2"), ("advertise-http", "a:3")]);
        Assert.Equal("a:1", Read(flags, []).PeerAddress);
    }

    [Fact]
    public void Settings_must_fit_each_other()
    {
        File.WriteAllText(ConfigFile, "{}");
        Assert.Contains("must differ", Problem([("resp-port", "7501")], []), StringComparison.Ordinal);
        Assert.Contains("--expect", Problem([("seeds", "a:1"), ("expect", "2")], []), StringComparison.Ordinal);
        Assert.Contains("--replica", Problem([("replica", "true"), ("seeds", "a:1")], []), StringComparison.Ordinal);
        Assert.Contains("--replica", Problem([("replica", "true"), ("join", "a:1")], []), StringComparison.Ordinal);
    }

    /// <summary>Run with QUORATE_REWRITE=1 to make the page anew.</summary>
    [Fact]
    public void The_page_about_settings_is_the_code_s()
    {
        string page = Checkout.Page("operating", "settings.md");
        if (Environment.GetEnvironmentVariable("QUORATE_REWRITE") == "1")
        {
            File.WriteAllText(page, SettingTable.Page());
        }

        Assert.Equal(SettingTable.Page(), File.ReadAllText(page));
    }

    private static IEnumerable<KeyValuePair<string, string>> Pairs(IEnumerable<(string Name, string Value)> flags) =>
        flags.Select(flag => KeyValuePair.Create(flag.Name, flag.Value));

    private ServerSettings Read(IEnumerable<(string Name, string Value)> flags, Hashtable environment)
    {
        if (!File.Exists(ConfigFile))
        {
            File.WriteAllText(ConfigFile, "{}");
        }

        ServerSettings? settings = SettingsReader.Read(Pairs(flags), environment, ConfigFile, out string problem);
        Assert.Equal("", problem);
        return settings!;
    }

    private string Problem(IEnumerable<(string Name, string Value)> flags, Hashtable environment)
    {
        Assert.Null(SettingsReader.Read(Pairs(flags), environment, ConfigFile, out string problem));
        Assert.EndsWith(".", problem, StringComparison.Ordinal);
        return problem;
    }
}
