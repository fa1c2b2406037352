using System.Net;
using Microsoft.AspNetCore.Http;
using Quorate.Core;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// Keeps pages of other sites away from the data: a browser on a machine that reaches the node would ask for them. What
/// a page sends carries an Origin, which must be the node itself. A page whose own name was made to point at the node
/// (DNS rebinding) sends that name as Host: so a Host must be an address, a name that nobody can register, or one that
/// the cluster's nodes go by.
/// </summary>
internal sealed class OriginCheck(Func<ClusterView> view)
{
    /// <summary>Endings that are not of the public name space (RFC 6761, RFC 6762, ICANN's .internal).</summary>
    private static readonly string[] PrivateEndings =
        [".localhost", ".local", ".internal", ".cluster.local", ".home.arpa", ".svc"];

    /// <summary>Why a request is refused; null when it may pass.</summary>
    public Problem? ProblemOf(HttpRequest request)
    {
        if (!Guards.ForeignPagesAreRefused)
        {
            return null;
        }

        if (!request.Host.HasValue || !IsOurs(request.Host.Host))
        {
            return new(
                StatusCodes.Status421MisdirectedRequest, "host", "This is not the host that was asked.",
                $"The node does not go by the name '{request.Host.Host}'. Ask by its address, by a name without a dot, "
                    + "or by one that a node of the cluster advertises (--advertise-http).");
        }

        string? origin = request.Headers.Origin;
        return origin is null
            || string.Equals(origin, $"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase)
            ? null
            : new(
                StatusCodes.Status403Forbidden, "origin", "Pages of other sites are not answered.",
                $"The request comes from a page of '{origin}'.");
    }

    private bool IsOurs(string host)
    {
        string name = host.TrimEnd('.');
        return IPAddress.TryParse(name.Trim('[', ']'), out _)
            || !name.Contains('.', StringComparison.Ordinal)
            || Array.Exists(PrivateEndings, ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase))
            || string.Equals(name, Dns.GetHostName(), StringComparison.OrdinalIgnoreCase)
            || view().State.Nodes.Any(node => string.Equals(name, HostOf(node), StringComparison.OrdinalIgnoreCase));
    }

    private static string HostOf(NodeRecord node)
    {
        int port = node.HttpAddress.LastIndexOf(':');
        return port < 0 ? node.HttpAddress : node.HttpAddress[..port];
    }
}
