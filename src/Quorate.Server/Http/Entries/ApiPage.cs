using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// The description of the HTTP interface (OpenAPI 3.1) and a page to try it, which needs nothing from elsewhere.
/// </summary>
internal static class ApiPage
{
    /// <summary>Nothing but the page's own script and style; no other site may show it in a frame.</summary>
    private const string Policy =
        "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'";

    private static readonly (string Path, string File, string Type)[] Files =
    [
        ("/openapi.json", "openapi.json", "application/json"),
        ("/try", "try.html", "text/html; charset=utf-8"),
        ("/try/page.js", "try.js", "text/javascript; charset=utf-8"),
        ("/try/page.css", "try.css", "text/css; charset=utf-8"),
    ];

    public static void Map(WebApplication application, Func<Func<HttpContext, Task>, RequestDelegate> guarded)
    {
        foreach ((string path, string file, string type) in Files)
        {
            byte[] bytes = Read(file);
            application.Map(path, guarded(context => Say(context, bytes, type)));
        }
    }

    /// <summary>One of the files that are built in.</summary>
    public static byte[] Read(string file)
    {
        Assembly assembly = typeof(ApiPage).Assembly;
        using Stream stream = assembly.GetManifestResourceStream($"Quorate.Server.Http.{file}")
            ?? throw new InvalidOperationException($"The file {file} is not built into {assembly.GetName().Name}.");
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static async Task Say(HttpContext context, byte[] bytes, string type)
    {
        string method = context.Request.Method;
        if (!HttpMethods.IsGet(method) && !HttpMethods.IsHead(method))
        {
            throw EntryEndpoints.WrongMethod(context, "GET, HEAD");
        }

        HttpResponse response = context.Response;
        response.ContentType = type;
        response.ContentLength = bytes.Length;
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        await response.Body.WriteAsync(bytes).ConfigureAwait(false);
    }
}
