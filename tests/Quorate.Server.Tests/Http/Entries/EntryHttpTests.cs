using System.Net;
using System.Text.Json;

namespace Quorate.Server.Tests.Http.Entries;

/// <summary>Entries and keyspaces over HTTP, as docs/http.md has them.</summary>
public sealed class EntryHttpTests
{
    [Theory]
    [InlineData("\"text\"", "string")]
    [InlineData("\"\"", "string")]
    [InlineData("\"5\"", "string")]
    [InlineData("\"gr\\u00fc\\u00df\\n\"", "string")]
    [InlineData("5", "scalar")]
    [InlineData("-1.50e+300", "scalar")]
    [InlineData("123456789012345678901234567890.10", "scalar")]
    [InlineData("true", "scalar")]
    [InlineData("null", "scalar")]
    [InlineData("[1,\"1\",1.0,true,false,null,\"\"]", "list")]
    [InlineData("{\"\":\"\",\"a\":1,\"b\":\"1\",\"c\":null}", "hash")]
    [InlineData("[]", "json")]
    [InlineData("{}", "json")]
    [InlineData("[[1]]", "json")]
    [InlineData("{\"a\":{\"b\":[1, 2]}}", "json")]
    public async Task What_is_posted_comes_back_as_it_was(string value, string type)
    {
        await using EntryHost host = await EntryHost.Start();
        EntryReply put = await host.Ask("POST", "/entry", $"{{\"key\":\"k\",\"value\":{value}}}");
        EntryReply got = await host.Ask("GET", "/entry/k");
        EntryReply deleted = await host.Ask("DELETE", "/entry/k");

        Assert.Equal([200, 200, 200], [put.Status, got.Status, deleted.Status]);
        Assert.Equal(type, got.Json.GetProperty("type").GetString());
        Assert.Equal(got.Text, deleted.Text);
        foreach (EntryReply reply in (EntryReply[])[put, got])
        {
            using JsonDocument wanted = JsonDocument.Parse(value);
            JsonElement shown = reply.Json.GetProperty("value");
            Assert.Equal(Canonical(wanted.RootElement), Canonical(shown));
            Assert.Equal($"\"{reply.Version}\"", reply.Tag);
        }

        Assert.Equal(
            put.Json.GetProperty("metadata").GetRawText(), got.Json.GetProperty("metadata").GetRawText());
        Assert.Equal(404, (await host.Ask("GET", "/entry/k")).Status);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_go_as_base64_in_keys_values_elements_and_names()
    {
        await using EntryHost host = await EntryHost.Start();
        foreach ((string value, string type) in ((string, string)[])
            [("\"/w==\"", "string"), ("[\"/w==\",5,\"YQ==\"]", "list"), ("{\"/w==\":\"YQ==\"}", "hash"),
                ("[\"/w==\"]", "set"), ("{\"/w==\":1.5}", "zset")])
        {
            EntryReply put = await host.Ask(
                "POST", "/entry", $"{{\"keyBase64\":\"//8=\",\"valueBase64\":{value},\"type\":\"{type}\"}}");
            Assert.Equal(200, put.Status);
            JsonElement got = await host.Value("/entry/%FF%ff");
            Assert.Equal("//8=", got.GetProperty("keyBase64").GetString());
            Assert.Equal(value, got.GetProperty("valueBase64").GetRawText());
            Assert.Equal(type, got.GetProperty("type").GetString());
            Assert.Equal(got.GetRawText(), (await host.Value("/entry?keyBase64=__8")).GetRawText());
        }
    }

    [Theory]
    [InlineData("/entry/a%2Fb", "a/b")]
    [InlineData("/entry/a/b", "a/b")]
    [InlineData("/entry/a+b", "a+b")]
    [InlineData("/entry/%25", "%")]
    [InlineData("/entry?key=a%00b", "a\0b")]
    [InlineData("/entry?key=..", "..")]
    [InlineData("/entry?key=", "")]
    [InlineData("/entry?key=a+b%2B", "a b+")]
    [InlineData("/entry/gr%C3%BC%C3%9F", "gr\u00fc\u00df")]
    public async Task Any_key_can_be_named(string path, string key)
    {
        await using EntryHost host = await EntryHost.Start();
        string body = JsonSerializer.Serialize(new { key, value = "v" });
        Assert.Equal(200, (await host.Ask("POST", "/entry", body)).Status);
        Assert.Equal(key, (await host.Value(path)).GetProperty("key").GetString());
    }

    [Fact]
    public async Task A_stale_version_is_answered_with_the_one_that_stands()
    {
        await using EntryHost host = await EntryHost.Start();
        string first = (await host.Ask("POST", "/entry", Body("a", "0"))).Version;
        string second = (await host.Ask("POST", "/entry", Body("b", first))).Version;

        EntryReply byBody = await host.Ask("POST", "/entry", Body("c", first));
        EntryReply byHeader = await host.Ask("POST", "/entry", Body("c"), $"If-Match: \"{first}\"");
        EntryReply exists = await host.Ask("POST", "/entry", Body("c"), "If-None-Match: *");
        EntryReply deleted = await host.Ask("DELETE", "/entry/k", null, $"If-Match: \"{first}\"");
        EntryReply absent = await host.Ask("POST", "/entry", "{\"key\":\"x\",\"value\":1}", "If-Match: *");
        Assert.Equal(
            [409, 412, 412, 412, 412],
            [byBody.Status, byHeader.Status, exists.Status, deleted.Status, absent.Status]);
        foreach (EntryReply stale in (EntryReply[])[byBody, byHeader, exists, deleted])
        {
            Assert.Equal("application/problem+json", stale.Type);
            Assert.Equal(second, stale.Version);
        }

        Assert.Equal("b", (await host.Value("/entry/k")).GetProperty("value").GetString());
        Assert.Equal(200, (await host.Ask("POST", "/entry", Body("c"), $"If-Match: \"{second}\"")).Status);
        EntryReply known = await host.Ask("GET", "/entry/k");
        Assert.Equal(304, (await host.Ask("GET", "/entry/k", null, $"If-None-Match: \"x\", {known.Tag}")).Status);
        Assert.Equal(200, (await host.Ask("GET", "/entry/k", null, $"If-None-Match: \"{second}\"")).Status);
    }

    [Fact]
    public async Task The_same_key_value_and_version_twice_is_one_write()
    {
        await using EntryHost host = await EntryHost.Start();
        string first = (await host.Ask("POST", "/entry", Body("a"))).Version;
        EntryReply once = await host.Ask("POST", "/entry", Body("b", first));
        EntryReply twice = await host.Ask("POST", "/entry", Body("b", first));
        Assert.Equal(200, twice.Status);
        Assert.Equal(once.Text, twice.Text);
    }

    [Fact]
    public async Task A_batch_tells_of_each_entry()
    {
        await using EntryHost host = await EntryHost.Start();
        await host.Ask("POST", "/entry", "{\"key\":\"gone\",\"value\":[1]}");
        EntryReply batch = await host.Ask(
            "POST", "/entries",
            "[{\"key\":\"a\",\"value\":1},{\"key\":\"a\",\"value\":2,\"metadata\":{\"valueVersion\":\"0\"}},"
                + "{\"key\":\"gone\",\"delete\":true},{\"key\":\"never\",\"delete\":true},"
                + "{\"key\":\"b\",\"value\":{}}]");
        Assert.Equal(200, batch.Status);
        Assert.Equal([200, 409, 200, 404, 200], batch.Json.GetProperty("entries").EnumerateArray()
            .Select(each => each.GetProperty("status").GetInt32()));
        Assert.Equal("1", (await host.Value("/entry/a")).GetProperty("value").GetRawText());
        Assert.Equal("{}", (await host.Value("/entry/b")).GetProperty("value").GetRawText());

        EntryReply wrong = await host.Ask("POST", "/entries", "[{\"key\":\"c\",\"value\":1},{\"key\":\"d\"}]");
        Assert.Equal(400, wrong.Status);
        Assert.Equal(404, (await host.Ask("GET", "/entry/c")).Status);
    }

    [Theory]
    [InlineData("count=7")]
    [InlineData("count=1000")]
    [InlineData("count=3&values=false")]
    public async Task Pages_show_every_entry_once(string query)
    {
        await using EntryHost host = await EntryHost.Start();
        for (int i = 0; i < 60; i++)
        {
            await host.Ask("POST", "/entry", $"{{\"key\":\"key{i}\",\"value\":[{i},\"x\"]}}");
        }

        // A large one ends its page.
        string large = new('x', 5 * 1024 * 1024);
        Assert.Equal(200, (await host.Ask("POST", "/entry", $"{{\"key\":\"large\",\"value\":\"{large}\"}}")).Status);
        List<string> seen = [];
        string? cursor = "";
        do
        {
            JsonElement page = await host.Value($"/entries?{query}&cursor={cursor}");
            seen.AddRange(page.GetProperty("entries").EnumerateArray()
                .Select(each => each.GetProperty("key").GetString()!));
            cursor = page.GetProperty("cursor").GetString();
        }
        while (cursor is not null);

        Assert.Equal(61, seen.Count);
        Assert.Equal(61, seen.Distinct().Count());
        JsonElement few = await host.Value("/entries?match=key1?&count=1000");
        foreach (string none in (string[])["AAAA", "x", "!!!!", "AAA%20", "AAAAA", "%FF"])
        {
            Assert.Equal(400, (await host.Ask("GET", $"/entries?cursor={none}")).Status);
        }
        Assert.All(few.GetProperty("entries").EnumerateArray(), each => Assert.StartsWith(
            "key1", each.GetProperty("key").GetString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Host: evil.example", 421)]
    [InlineData("Host: 127.0.0.1.evil.example:80", 421)]
    [InlineData("Host: localhost:80", 404)]
    [InlineData("Host: [::1]", 404)]
    [InlineData("Host: node-1", 404)]
    [InlineData("Origin: http://evil.example", 403)]
    [InlineData("Origin: null", 403)]
    [InlineData("X-Nothing: x", 404)]
    public async Task Pages_of_other_sites_are_not_answered(string header, int status)
    {
        await using EntryHost host = await EntryHost.Start();
        Assert.Equal(status, (await host.Ask("GET", "/entry/k", null, header)).Status);
        Assert.Equal(
            status == 404 ? 200 : status, (await host.Ask("POST", "/entry", Body("a"), header)).Status);
        Assert.Equal(
            404, (await host.Ask("GET", "/entry/x", null, $"Origin: {host.Address.ToString().TrimEnd('/')}")).Status);
    }

    [Theory]
    [InlineData("GET", "/entry", 400)]
    [InlineData("GET", "/entry/k?key=k", 400)]
    [InlineData("GET", "/entry/%", 400)]
    [InlineData("GET", "/entry/%zz", 400)]
    [InlineData("GET", "/entry/a/%2e%2e/b", 400)]
    [InlineData("GET", "/entry/k?wat=1", 400)]
    [InlineData("GET", "/entry/k?read=never", 400)]
    [InlineData("GET", "/entry/k?keyspace=none", 404)]
    [InlineData("PUT", "/entry/k", 405)]
    [InlineData("PATCH", "/entries", 405)]
    [InlineData("POST", "/entry?write=9", 400)]
    [InlineData("POST", "/entry?ttl=soon", 400)]
    [InlineData("POST", "/entry?ttl=0", 400)]
    [InlineData("GET", "/entries?count=0", 400)]
    [InlineData("GET", "/entries?values=maybe", 400)]
    [InlineData("GET", "/keyspaces/none", 404)]
    [InlineData("DELETE", "/keyspaces", 405)]
    public async Task What_makes_no_sense_is_a_problem(string method, string path, int status)
    {
        await using EntryHost host = await EntryHost.Start();
        EntryReply reply = await host.Ask(method, path, method == "GET" ? null : Body("a"));
        Assert.Equal(status, reply.Status);
        Assert.Equal("application/problem+json", reply.Type);
        Assert.Equal(status, reply.Json.GetProperty("status").GetInt32());
        Assert.StartsWith("urn:quorate:", reply.Json.GetProperty("type").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expiry_is_milliseconds_or_has_a_unit()
    {
        await using EntryHost host = await EntryHost.Start();
        foreach ((string ttl, long most) in ((string, long)[])[("1500", 1500), ("30s", 30_000), ("2h", 7_200_000)])
        {
            await host.Ask("POST", $"/entry?ttl={ttl}", Body("a"));
            long left = (await host.Value("/entry/k")).GetProperty("metadata").GetProperty("ttl").GetInt64();
            Assert.InRange(left, 1, most);
        }

        await host.Ask("POST", "/entry?ttl=keep", Body("b"));
        Assert.True((await host.Value("/entry/k")).GetProperty("metadata").TryGetProperty("ttl", out _));
        await host.Ask("POST", "/entry", Body("b"));
        Assert.False((await host.Value("/entry/k")).GetProperty("metadata").TryGetProperty("ttl", out _));
    }

    [Fact]
    public async Task Keyspaces_are_made_changed_and_dropped()
    {
        await using EntryHost host = await EntryHost.Start();
        EntryReply made = await host.Ask("POST", "/keyspaces", "{\"name\":\"s\",\"ttl\":60000,\"partitions\":4}");
        Assert.Equal(201, made.Status);
        Assert.Equal(409, (await host.Ask("POST", "/keyspaces", "{\"name\":\"s\"}")).Status);
        Assert.Equal(400, (await host.Ask("POST", "/keyspaces", "{\"name\":\"t\",\"sides\":4}")).Status);
        Assert.Equal(200, (await host.Ask("POST", "/entry?keyspace=s", Body("a"))).Status);
        Assert.Equal(404, (await host.Ask("GET", "/entry/k")).Status);
        Assert.Equal(200, (await host.Ask("GET", "/entry/k?keyspace=s")).Status);
        Assert.Equal(200, (await host.Ask("PATCH", "/keyspaces/s", "{\"ttl\":5}")).Status);
        JsonElement shown = await host.Value("/keyspaces/s");
        Assert.Equal(5, shown.GetProperty("ttl").GetInt32());
        Assert.Equal(4, shown.GetProperty("partitions").GetInt32());
        Assert.Equal(2, (await host.Value("/keyspaces")).GetProperty("keyspaces").GetArrayLength());
        Assert.Equal(200, (await host.Ask("DELETE", "/keyspaces/s")).Status);
        Assert.Equal(404, (await host.Ask("GET", "/entry/k?keyspace=s")).Status);
    }

    [Fact]
    public async Task Http_2_is_spoken_to_those_who_begin_with_it()
    {
        await using EntryHost host = await EntryHost.Start();
        using var http = new HttpClient
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using HttpResponseMessage put = await http.PostAsync(
            new Uri(host.Address, "/entry"), new StringContent(Body("over two")),
            TestContext.Current.CancellationToken);
        Assert.Equal(HttpVersion.Version20, put.Version);
        Assert.Equal("over two", (await host.Value("/entry/k")).GetProperty("value").GetString());
        using HttpResponseMessage refused = await http.PostAsync(
            new Uri(host.Address, "/entry"), new StringContent("{"), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task The_description_is_whole_and_all_that_it_names_is_answered()
    {
        await using EntryHost host = await EntryHost.Start();
        JsonElement description = await host.Value("/openapi.json");
        string text = description.GetRawText();
        foreach (string reference in text.Split("\"$ref\": \"#/").Skip(1).Select(rest => rest[..rest.IndexOf('"')]))
        {
            JsonElement at = description;
            Assert.All(reference.Split('/'), name => at = at.GetProperty(name));
        }

        foreach (JsonProperty path in description.GetProperty("paths").EnumerateObject())
        {
            if (path.Name.StartsWith("/entr", StringComparison.Ordinal)
                || path.Name.StartsWith("/key", StringComparison.Ordinal))
            {
                foreach (JsonProperty operation in path.Value.EnumerateObject())
                {
                    string asked = path.Name.Replace("{key}", "k").Replace("{name}", "default");
                    EntryReply reply = await host.Ask(operation.Name.ToUpperInvariant(), asked, "{}");
                    Assert.NotEqual(405, reply.Status);
                    Assert.False(reply.Status == 404 && reply.Bytes.Length == 0, $"{asked} is not answered");
                }
            }
        }

        foreach (string page in (string[])["/try", "/try/page.js", "/try/page.css"])
        {
            EntryReply reply = await host.Ask("GET", page);
            Assert.Equal(200, reply.Status);
            Assert.DoesNotContain("http://", reply.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("https://", reply.Text, StringComparison.Ordinal);
        }
    }

    private static string Body(string value, string? version = null) => version is null
        ? $"{{\"key\":\"k\",\"value\":\"{value}\"}}"
        : $"{{\"key\":\"k\",\"value\":\"{value}\",\"metadata\":{{\"valueVersion\":\"{version}\"}}}}";

    /// <summary>Names of a flat object in their order, and everything else as it is written.</summary>
    private static string Canonical(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(",", value.EnumerateObject()
            .OrderBy(each => each.Name, StringComparer.Ordinal)
            .Select(each => $"{each.Name}:{Canonical(each.Value)}")) + "}",
        JsonValueKind.Array => $"[{string.Join(",", value.EnumerateArray().Select(Canonical))}]",
        JsonValueKind.String => $"'{value.GetString()}'",
        _ => value.GetRawText(),
    };
}
