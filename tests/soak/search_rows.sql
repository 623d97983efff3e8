-- Events of 800 sites: 60 % firewall traffic, 25 % failed logins, 15 % connections of a Cisco ASA.
WITH numbered AS (
    SELECT i, hash(i) AS h, (hash(i * 7 + 1) % 800)::INT AS site, hash(i * 13 + 5) AS a, hash(i * 17 + 9) AS b
    FROM range($first::BIGINT, $first::BIGINT + $count) AS t(i)
), drawn AS (
    SELECT i, site, h, h % 100 AS k, $start::BIGINT + (i - $first) * $gap AS moment,
        CASE WHEN i = 5000000 THEN '203.0.113.77'
            ELSE '10.' || (site // 4) || '.' || (a % 24) || '.' || (a // 64 % 250 + 1) END AS source,
        CASE WHEN b % 10 < 3
            THEN (b // 16 % 223 + 1) || '.' || (b // 4096 % 256) || '.' || (b // 999983 % 256) || '.' || (b // 7919 % 256)
            ELSE '10.' || (b % 200) || '.' || (b // 256 % 24) || '.' || (b // 64 % 250 + 1) END AS target,
        CASE WHEN i IN (5000000, 5000001, 5000002, 5000003, 5000004, 5000005, 5000006, 5000007) THEN 'nguyenvanhiem'
            WHEN a % 5 = 0 THEN 'root'
            ELSE 'user' || lpad((a // 1024 % 40000)::VARCHAR, 5, '0') END AS name,
        1024 + h % 60000 AS port, b // 128 % 100000 AS pid
    FROM numbered
)
SELECT
    'logs/1795000000000000000/' || i AS id, moment AS time, moment + 3000000 AS seen,
    CASE WHEN k < 60 THEN 'fortinet' WHEN k < 85 THEN 'linux' ELSE 'cisco' END AS product,
    CASE WHEN k < 60 THEN 'firewall' ELSE '' END AS category,
    CASE WHEN k < 60 THEN 'traffic' WHEN k < 85 THEN 'sshd' ELSE 'asa' END AS service,
    'vks-' || site AS unit, 'site' || lpad(site::VARCHAR, 3, '0') AS site, 'fw-' || site AS device,
    CASE
        WHEN k < 60 THEN '{"message":"traffic forward close session ' || (h % 4000000000)
            || '","observer.ip":"10.' || (site // 4) || '.0.1","source.ip":"' || source || '","source.port":' || port
            || ',"destination.ip":"' || target || '","destination.port":' || (CASE WHEN k < 40 THEN 443 ELSE 53 END)
            || ',"network.bytes":' || (h % 100000)
            || ',"event.action":"close","network.transport":"tcp","rule.name":"' || (k % 12) || '"}'
        WHEN k < 85 THEN '{"message":"Failed password for ' || name || ' from ' || source || ' port ' || port
            || ' ssh2","observer.ip":"10.' || (site // 4) || '.0.2","source.ip":"' || source || '","source.port":' || port
            || ',"user.name":"' || name || '","process.name":"sshd","process.pid":' || pid
            || ',"event.outcome":"failure"}'
        ELSE '{"message":"%ASA-6-302013: Built outbound TCP connection ' || (h % 4000000000) || ' for outside:' || target
            || '/443 to inside:' || source || '/' || port || '","observer.ip":"10.' || (site // 4)
            || '.0.3","source.ip":"' || source || '","source.port":' || port || ',"destination.ip":"' || target
            || '","destination.port":443,"event.code":"302013"}'
    END AS fields,
    encode('<134>date=2026-11-24 srcip=' || source || ' srcport=' || port || ' dstip=' || target || ' sessionid=' || h)
        AS raw
FROM drawn ORDER BY site, time, id
