<?xml version="1.0" encoding="UTF-8"?>
<!-- Shows a feed to a person whose browser opened it. Readers of feeds ignore it. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:atom="http://www.w3.org/2005/Atom" exclude-result-prefixes="atom">
  <xsl:output method="html" encoding="UTF-8" doctype-system="about:legacy-compat"/>
  <!-- The way up to the folder that holds this file, as the feed itself names it. -->
  <xsl:variable name="up" select="substring-before(substring-after(/processing-instruction('xml-stylesheet')[1], 'href=&quot;'), 'feed.xsl')"/>

  <xsl:template match="/">
    <html lang="en">
      <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <title><xsl:value-of select="rss/channel/title | atom:feed/atom:title"/></title>
        <link rel="stylesheet" href="{$up}style.css"/>
      </head>
      <body>
        <xsl:apply-templates select="rss/channel | atom:feed"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="channel | atom:feed">
    <header class="top feed">
      <div class="wide">
        <h1><xsl:value-of select="title | atom:title"/></h1>
        <p class="tagline"><xsl:value-of select="description | atom:subtitle"/></p>
        <nav class="subscribe" aria-label="Lootwire"><a href="{link | atom:link[@rel='alternate']/@href}">Its page</a><a href="{$up}index.html">All campaigns and feeds</a></nav>
      </div>
    </header>
    <main class="wide">
      <section>
        <h2>This is a feed</h2>
        <p class="lead">Copy its address into a feed reader, and it tells you of every entry to come.</p>
        <p class="all"><code><xsl:value-of select="atom:link[@rel='self']/@href"/></code></p>
      </section>
      <section>
        <h2>Newest entries</h2>
        <xsl:if test="not(item | atom:entry)"><p class="none">There are none yet.</p></xsl:if>
        <ol class="entries"><xsl:apply-templates select="item | atom:entry"/></ol>
      </section>
    </main>
  </xsl:template>

  <xsl:template match="item">
    <li>
      <h3><a href="{link}"><xsl:value-of select="title"/></a></h3>
      <p><xsl:value-of select="substring-before(pubDate, ' +')"/> UTC</p>
      <p><xsl:value-of select="description"/></p>
    </li>
  </xsl:template>

  <xsl:template match="atom:entry">
    <li>
      <h3><a href="{atom:link[@rel='alternate']/@href}"><xsl:value-of select="atom:title"/></a></h3>
      <p><xsl:value-of select="translate(substring(atom:updated, 1, 16), 'T', ' ')"/> UTC</p>
      <p><xsl:value-of select="atom:summary"/></p>
    </li>
  </xsl:template>
</xsl:stylesheet>
