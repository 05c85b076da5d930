-- Telephone numbering plans: how a number is written in each country, as data.
--
-- Owns      private.phone_regions and private.normalize_phone.
-- Callers   triggers of contact points and of opt-outs; SQL that compares phone numbers.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- The rows are taken from the metadata of libphonenumber 9.0.43 (Apache License 2.0).

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table private.phone_regions (
    country text not null,
    calling_code text not null,
    main boolean not null,
    exit_pattern text not null,
    trunk_prefix text,
    plain boolean not null,
    national_pattern text not null,

    constraint phone_regions_pkey primary key (country),
    constraint phone_regions_country_shape check (country ~ '^[A-Z]{2}$'),
    constraint phone_regions_calling_code_shape check (calling_code ~ '^[1-9][0-9]{0,2}$'),
    constraint phone_regions_trunk_prefix_shape check (trunk_prefix ~ '^[0-9]{1,2}$')
);
create unique index phone_regions_main_idx on private.phone_regions (calling_code) where main;
comment on table private.phone_regions is 'The numbering plan of each country: reference data of private.normalize_phone.';
comment on column private.phone_regions.calling_code is 'ITU-T E.164 country code, without the plus sign.';
comment on column private.phone_regions.main is 'The country whose plan reads a number of a calling code that several share.';
comment on column private.phone_regions.exit_pattern is 'What is dialled for an international call: a regular expression.';
comment on column private.phone_regions.trunk_prefix is 'What is dialled before a national number and not part of it.';
comment on column private.phone_regions.plain is
'False where national writing needs more than a trunk prefix: there only +… is accepted.';
comment on column private.phone_regions.national_pattern is 'A complete national number: a regular expression without anchors.';

insert into private.phone_regions
(country, calling_code, main, exit_pattern, trunk_prefix, plain, national_pattern)
values
('AC', '247', true, '00', null, true, '(?:[01589]\d|[2-467])\d{4}'),
('AD', '376', true, '00', null, true, '(?:1|6\d)\d{7}|[135-9]\d{5}'),
('AE', '971', true, '00', '0', true, '(?:[4-7]\d|9[0-689])\d{7}|800\d{2,9}|[2-4679]\d{7}'),
('AF', '93', true, '00', '0', true, '[2-7]\d{8}'),
('AG', '1', false, '011', '1', true, '(?:268|[58]\d\d|900)\d{7}'),
('AI', '1', false, '011', '1', true, '(?:264|[58]\d\d|900)\d{7}'),
('AL', '355', true, '00', '0', true, '(?:700\d\d|900)\d{3}|8\d{5,7}|(?:[2-5]|6\d)\d{7}'),
('AM', '374', true, '00', '0', true, '(?:[1-489]\d|55|60|77)\d{6}'),
('AO', '244', true, '00', null, true, '[29]\d{8}'),
('AR', '54', true, '00', null, false, '(?:11|[89]\d\d)\d{8}|[2368]\d{9}'),
('AS', '1', false, '011', '1', true, '(?:[58]\d\d|684|900)\d{7}'),
('AT', '43', true, '00', '0', true,
'1\d{3,12}|2\d{6,12}|43(?:(?:0\d|5[02-9])\d{3,9}|2\d{4,5}|[3467]\d{4}|8\d{4,6}|9\d{4,7})|5\d{4,12}|8\d{7,12}|9\'
'd{8,12}|(?:[367]\d|4[0-24-9])\d{4,11}'),
('AU', '61', true, '001[14-689]|14(?:1[14]|34|4[17]|[56]6|7[47]|88)0011', '0', true,
'1(?:[0-79]\d{7}(?:\d(?:\d{2})?)?|8[0-24-9]\d{7})|[2-478]\d{8}|1\d{4,7}'),
('AW', '297', true, '00', null, true, '(?:[25-79]\d\d|800)\d{4}'),
('AX', '358', false, '00|99(?:[01469]|5(?:[14]1|3[23]|5[59]|77|88|9[09]))', '0', true,
'2\d{4,9}|35\d{4,5}|(?:60\d\d|800)\d{4,6}|7\d{5,11}|(?:[14]\d|3[0-46-9]|50)\d{4,8}'),
('AZ', '994', true, '00', '0', true, '365\d{6}|(?:[124579]\d|60|88)\d{7}'),
('BA', '387', true, '00', '0', true, '6\d{8}|(?:[35689]\d|49|70)\d{6}'),
('BB', '1', false, '011', '1', true, '(?:246|[58]\d\d|900)\d{7}'),
('BD', '880', true, '00', '0', true, '[1-469]\d{9}|8[0-79]\d{7,8}|[2-79]\d{8}|[2-9]\d{7}|[3-9]\d{6}|[57-9]\d{5}'),
('BE', '32', true, '00', '0', true, '4\d{8}|[1-9]\d{7}'),
('BF', '226', true, '00', null, true, '[024-7]\d{7}'),
('BG', '359', true, '00', '0', true, '00800\d{7}|[2-7]\d{6,7}|[89]\d{6,8}|2\d{5}'),
('BH', '973', true, '00', null, true, '[136-9]\d{7}'),
('BI', '257', true, '00', null, true, '(?:[267]\d|31)\d{6}'),
('BJ', '229', true, '00', null, true, '01\d{8}'),
('BL', '590', false, '00', '0', true, '7090\d{5}|(?:[56]9|[89]\d)\d{7}'),
('BM', '1', false, '011', '1', true, '(?:441|[58]\d\d|900)\d{7}'),
('BN', '673', true, '00', null, true, '[2-578]\d{6}'),
('BO', '591', true, '00(?:1\d)?', null, false, '(?:[2-7]\d\d|8001)\d{5}'),
('BQ', '599', false, '00', null, true, '(?:[34]1|7\d)\d{5}'),
('BR', '55', true, '00(?:1[245]|2[1-35]|31|4[13]|[56]5|99)', null, false,
'[1-467]\d{9,10}|55[0-46-9]\d{8}|[34]\d{7}|55\d{7,8}|(?:5[0-46-9]|[89]\d)\d{7,9}'),
('BS', '1', false, '011', '1', true, '(?:242|[58]\d\d|900)\d{7}'),
('BT', '975', true, '00', null, true, '[178]\d{7}|[2-8]\d{6}'),
('BW', '267', true, '00', null, true, '90\d{5}|(?:0800|[2-6]|(?:7|800)\d)\d{6}'),
('BY', '375', true, '810', null, false,
'(?:[12]\d|33|44|902)\d{7}|8(?:0[0-79]\d{5,7}|[1-7]\d{9})|8(?:1[0-489]|[5-79]\d)\d{7}|8[1-79]\d{6,7}|8[0-79]\d{'
'5}|8\d{5}'),
('BZ', '501', true, '00', null, true, '(?:0800\d|[2-8])\d{6}'),
('CA', '1', false, '011', '1', true, '[2-9]\d{9}|3\d{6}'),
('CC', '61', false, '001[14-689]|14(?:1[14]|34|4[17]|[56]6|7[47]|88)0011', '0', true,
'1(?:[0-79]\d{8}(?:\d{2})?|8[0-24-9]\d{7})|[148]\d{8}|1\d{5,7}'),
('CD', '243', true, '00', '0', true, '(?:(?:[189]|5\d)\d|2)\d{7}|[1-68]\d{6}'),
('CF', '236', true, '00', null, true, '8776\d{4}|(?:[27]\d|61)\d{6}'),
('CG', '242', true, '00', null, true, '222\d{6}|(?:0\d|80)\d{7}'),
('CH', '41', true, '00', '0', true, '8\d{11}|[2-9]\d{8}'),
('CI', '225', true, '00', null, true, '[02]\d{9}'),
('CK', '682', true, '00', null, true, '[2-578]\d{4}'),
('CL', '56', true, '(?:0|1(?:1[0-69]|2[02-5]|5[13-58]|69|7[0167]|8[018]))0', null, true,
'12300\d{6}|6\d{9,10}|[2-9]\d{8}'),
('CM', '237', true, '00', null, true, '[26]\d{8}|88\d{6,7}'),
('CN', '86', true, '00|1(?:[12]\d|79)\d\d00', null, false,
'(?:(?:1[03-689]|2\d)\d\d|6)\d{8}|1\d{10}|[126]\d{6}(?:\d(?:\d{2})?)?|86\d{5,6}|(?:[3-579]\d|8[0-57-9])\d{5,9}'),
('CO', '57', true, '00(?:4(?:[14]4|56)|[579])', null, false, '(?:46|60\d\d)\d{6}|(?:1\d|[39])\d{9}'),
('CR', '506', true, '00', null, false, '(?:8\d|90)\d{8}|(?:[24-8]\d{3}|3005)\d{4}'),
('CU', '53', true, '119', '0', true, '(?:[2-7]|8\d\d)\d{7}|[2-47]\d{6}|[34]\d{5}'),
('CV', '238', true, '0', null, true, '(?:[2-59]\d\d|800)\d{4}'),
('CW', '599', true, '00', null, true, '(?:[34]1|60|(?:7|9\d)\d)\d{5}'),
('CX', '61', false, '001[14-689]|14(?:1[14]|34|4[17]|[56]6|7[47]|88)0011', '0', true,
'1(?:[0-79]\d{8}(?:\d{2})?|8[0-24-9]\d{7})|[148]\d{8}|1\d{5,7}'),
('CY', '357', true, '00', null, true, '(?:[279]\d|[58]0)\d{6}'),
('CZ', '420', true, '00', null, true, '(?:[2-578]\d|60)\d{7}|9\d{8,11}'),
('DE', '49', true, '00', '0', true,
'[2579]\d{5,14}|49(?:[34]0|69|8\d)\d\d?|49(?:37|49|60|7[089]|9\d)\d{1,3}|49(?:2[024-9]|3[2-689]|7[1-7])\d{1,8}|'
'(?:1|[368]\d|4[0-8])\d{3,13}|49(?:[015]\d|2[13]|31|[46][1-8])\d{1,9}'),
('DJ', '253', true, '00', null, true, '(?:2\d|77)\d{6}'),
('DK', '45', true, '00', null, true, '[2-9]\d{7}'),
('DM', '1', false, '011', '1', true, '(?:[58]\d\d|767|900)\d{7}'),
('DO', '1', false, '011', '1', true, '(?:[58]\d\d|900)\d{7}'),
('DZ', '213', true, '00', '0', true, '(?:[1-4]|[5-79]\d|80)\d{7}'),
('EC', '593', true, '00', '0', true, '1\d{9,10}|(?:[2-7]|9\d)\d{7}'),
('EE', '372', true, '00', null, true, '8\d{9}|[4578]\d{7}|(?:[3-8]\d|90)\d{5}'),
('EG', '20', true, '00', '0', true, '[189]\d{8,9}|[24-6]\d{8}|[135]\d{7}'),
('EH', '212', false, '00', '0', true, '[5-8]\d{8}'),
('ER', '291', true, '00', '0', true, '[178]\d{6}'),
('ES', '34', true, '00', null, true, '400\d{6}|(?:51|[6-9]\d)\d{7}'),
('ET', '251', true, '00', '0', true, '(?:11|[2-57-9]\d)\d{7}'),
('FI', '358', true, '00|99(?:[01469]|5(?:[14]1|3[23]|5[59]|77|88|9[09]))', '0', true,
'[1-35689]\d{4}|7\d{10,11}|(?:[124-7]\d|3[0-46-9])\d{8}|[1-9]\d{5,8}'),
('FJ', '679', true, '0(?:0|52)', null, true, '45\d{5}|(?:0800\d|[235-9])\d{6}'),
('FK', '500', true, '00', null, true, '[2-7]\d{4}'),
('FM', '691', true, '00', null, true, '(?:[39]\d\d|820)\d{4}'),
('FO', '298', true, '00', null, false, '[2-9]\d{5}'),
('FR', '33', true, '00', '0', true, '[1-9]\d{8}'),
('GA', '241', true, '00', null, false, '(?:[067]\d|11)\d{6}|[2-7]\d{6}'),
('GB', '44', true, '00', '0', true, '[1-357-9]\d{9}|[18]\d{8}|8\d{6}'),
('GD', '1', false, '011', '1', true, '(?:473|[58]\d\d|900)\d{7}'),
('GE', '995', true, '00', '0', true, '(?:[3-57]\d\d|800)\d{6}'),
('GF', '594', true, '00', '0', true, '(?:694\d|7093)\d{5}|(?:59|[89]\d)\d{7}'),
('GG', '44', false, '00', '0', true, '(?:1481|[357-9]\d{3})\d{6}|8\d{6}(?:\d{2})?'),
('GH', '233', true, '00', '0', true, '[235]\d{8}|800\d{5,6}'),
('GI', '350', true, '00', null, true, '(?:[25]\d|60)\d{6}'),
('GL', '299', true, '00', null, true, '(?:19|[2-689]\d|70)\d{4}'),
('GM', '220', true, '00', null, true, '[48]\d{8}|[2-9]\d{6}'),
('GN', '224', true, '00', null, true, '722\d{6}|(?:3|6\d)\d{7}'),
('GP', '590', true, '00', '0', true, '7090\d{5}|(?:[56]9|[89]\d)\d{7}'),
('GQ', '240', true, '00', null, true, '222\d{6}|(?:3\d|55|[89]0)\d{7}'),
('GR', '30', true, '00', null, true, '5005000\d{3}|8\d{9,11}|(?:[269]\d|70)\d{8}'),
('GT', '502', true, '00', null, true, '80\d{6}|(?:1\d{3}|[2-7])\d{7}'),
('GU', '1', false, '011', '1', true, '(?:[58]\d\d|671|900)\d{7}'),
('GW', '245', true, '00', null, true, '[49]\d{8}|4\d{6}'),
('GY', '592', true, '001', null, true, '(?:[2-8]\d{3}|9008)\d{3}'),
('HK', '852', true, '00(?:30|5[09]|[126-9]?)', null, true, '8[0-46-9]\d{6,7}|9\d{4,7}|(?:[2-7]|9\d{3})\d{7}'),
('HN', '504', true, '00', null, true, '8\d{10}|[237-9]\d{7}'),
('HR', '385', true, '00', '0', true, '[2-69]\d{8}|80\d{5,7}|[1-79]\d{7}|6\d{6}'),
('HT', '509', true, '00', null, true, '[2-589]\d{7}'),
('HU', '36', true, '00', '06', true, '[235-7]\d{8}|[1-9]\d{7}'),
('ID', '62', true, '00[89]', '0', true, '00[1-9]\d{9,14}|(?:[1-36]|8\d{5})\d{6}|00\d{9}|[1-9]\d{8,10}|[2-9]\d{7}'),
('IE', '353', true, '00', '0', true, '(?:1\d|[2569])\d{6,8}|4\d{6,9}|7\d{8}|8\d{8,9}'),
('IL', '972', true, '0(?:0|1(?:05|[2-9]))', '0', true, '1\d{6}(?:\d{3,5})?|[57]\d{8}|[1-489]\d{7}'),
('IM', '44', false, '00', '0', true, '1624\d{6}|(?:[3578]\d|90)\d{8}'),
('IN', '91', true, '00', '0', true, '(?:000800|[2-9]\d\d)\d{7}|1\d{7,12}'),
('IO', '246', true, '00', null, true, '3\d{6}'),
('IQ', '964', true, '00', '0', true, '(?:1|7\d\d)\d{7}|[2-6]\d{7,8}'),
('IR', '98', true, '00', '0', true, '[1-9]\d{9}|(?:[1-8]\d\d|9)\d{3,4}'),
('IS', '354', true, '00|1(?:0(?:01|[12]0)|100)', null, true, '(?:38\d|[4-9])\d{6}'),
('IT', '39', true, '00', null, true,
'0\d{5,11}|1\d{8,10}|3(?:[0-8]\d{7,10}|9\d{7,8})|(?:43|55|70)\d{8}|8\d{5}(?:\d{2,4})?'),
('JE', '44', false, '00', '0', true, '1534\d{6}|(?:[3578]\d|90)\d{8}'),
('JM', '1', false, '011', '1', true, '(?:[58]\d\d|658|900)\d{7}'),
('JO', '962', true, '00', '0', true, '(?:(?:[2689]|7\d)\d|32|427|53)\d{6}'),
('JP', '81', true, '010', null, false, '00[1-9]\d{6,14}|[25-9]\d{9}|(?:00|[1-9]\d\d)\d{6}'),
('KE', '254', true, '000', '0', true, '(?:[17]\d\d|900)\d{6}|(?:2|80)0\d{6,7}|[4-6]\d{6,8}'),
('KG', '996', true, '00', '0', true, '8\d{9}|[235-9]\d{8}'),
('KH', '855', true, '00[14-9]', '0', true, '1\d{9}|[1-9]\d{7,8}'),
('KI', '686', true, '00', '0', true, '(?:[37]\d|6[0-79])\d{6}|(?:[2-48]\d|50)\d{3}'),
('KM', '269', true, '00', null, true, '[3478]\d{6}'),
('KN', '1', false, '011', '1', true, '(?:[58]\d\d|900)\d{7}'),
('KP', '850', true, '00|99', '0', true, '85\d{6}|(?:19\d|[2-7])\d{7}'),
('KR', '82', true, '00(?:[125689]|3(?:[46]5|91)|7(?:00|27|3|55|6[126]))', null, false,
'00[1-9]\d{8,11}|(?:[12]|5\d{3})\d{7}|[13-6]\d{9}|(?:[1-6]\d|80)\d{7}|[3-6]\d{4,5}|(?:00|7)0\d{8}'),
('KW', '965', true, '00', null, true, '18\d{5}|(?:[2569]\d|41)\d{6}'),
('KY', '1', false, '011', '1', true, '(?:345|[58]\d\d|900)\d{7}'),
('KZ', '7', false, '810', '8', true, '8\d{13}|[78]\d{9}'),
('LA', '856', true, '00', '0', true, '(?:2\d|3)\d{8}|(?:[235-8]\d|41)\d{6}'),
('LB', '961', true, '00', '0', true, '[27-9]\d{7}|[13-9]\d{6}'),
('LC', '1', false, '011', '1', true, '(?:[58]\d\d|758|900)\d{7}'),
('LI', '423', true, '00', null, false, '[68]\d{8}|(?:[2378]\d|90)\d{5}'),
('LK', '94', true, '00', '0', true, '[1-9]\d{8}'),
('LR', '231', true, '00', '0', true, '(?:[2457]\d|33|88)\d{7}|(?:2\d|[4-6])\d{6}'),
('LS', '266', true, '00', null, true, '(?:[256]\d\d|800)\d{5}'),
('LT', '370', true, '00', null, false, '(?:[3469]\d|52|[78]0)\d{6}'),
('LU', '352', true, '00', null, false, '35[013-9]\d{4,8}|6\d{8}|35\d{2,4}|(?:[2457-9]\d|3[0-46-9])\d{2,9}'),
('LV', '371', true, '00', null, true, '(?:[268]\d|78|90)\d{6}'),
('LY', '218', true, '00', '0', true, '[2-9]\d{8}'),
('MA', '212', true, '00', '0', true, '[5-8]\d{8}'),
('MC', '377', true, '00', '0', true, '(?:[3489]|[67]\d)\d{7}'),
('MD', '373', true, '00', '0', true, '(?:[235-7]\d|[89]0)\d{6}'),
('ME', '382', true, '00', '0', true, '(?:20|[3-79]\d)\d{6}|80\d{6,7}'),
('MF', '590', false, '00', '0', true, '7090\d{5}|(?:[56]9|[89]\d)\d{7}'),
('MG', '261', true, '00', '0', true, '[23]\d{8}'),
('MH', '692', true, '011', '1', true, '329\d{4}|(?:[256]\d|45)\d{5}'),
('MK', '389', true, '00', '0', true, '[2-578]\d{7}'),
('ML', '223', true, '00', null, true, '[24-9]\d{7}'),
('MM', '95', true, '00', '0', true, '1\d{5,7}|95\d{6}|(?:[4-7]|9[0-46-9])\d{6,8}|(?:2|8\d)\d{5,8}'),
('MN', '976', true, '001', '0', true, '[12]\d{7,9}|[5-9]\d{7}'),
('MO', '853', true, '00', null, true, '0800\d{3}|(?:28|[68]\d)\d{6}'),
('MP', '1', false, '011', '1', true, '[58]\d{9}|(?:67|90)0\d{7}'),
('MQ', '596', true, '00', '0', true, '7091\d{5}|(?:[56]9|[89]\d)\d{7}'),
('MR', '222', true, '00', null, true, '(?:[2-4]\d\d|800)\d{5}'),
('MS', '1', false, '011', '1', true, '(?:[58]\d\d|664|900)\d{7}'),
('MT', '356', true, '00', null, true, '3550\d{4}|(?:[2579]\d\d|800)\d{5}'),
('MU', '230', true, '0(?:0|[24-7]0|3[03])', null, true, '(?:[57]|8\d\d)\d{7}|[2-468]\d{6}'),
('MV', '960', true, '0(?:0|19)', null, true, '(?:800|9[0-57-9]\d)\d{7}|[34679]\d{6}'),
('MW', '265', true, '00', '0', true, '(?:[1289]\d|31|77)\d{7}|1\d{6}'),
('MX', '52', true, '0[09]', null, true, '[2-9]\d{9}'),
('MY', '60', true, '00', '0', true, '1\d{8,9}|(?:3\d|[4-9])\d{7}'),
('MZ', '258', true, '00', null, true, '(?:2|8\d)\d{7}'),
('NA', '264', true, '00', '0', true, '[68]\d{7,8}'),
('NC', '687', true, '00', null, true, '(?:050|[2-57-9]\d\d)\d{3}'),
('NE', '227', true, '00', null, true, '[027-9]\d{7}'),
('NF', '672', true, '00', null, false, '[13]\d{5}'),
('NG', '234', true, '009', '0', true, '(?:20|9\d)\d{8}|[78]\d{9,13}'),
('NI', '505', true, '00', null, true, '(?:1800|[25-8]\d{3})\d{4}'),
('NL', '31', true, '00', '0', true, '(?:[124-7]\d\d|3(?:[02-9]\d|1[0-8]))\d{6}|8\d{6,9}|9\d{6,10}|1\d{4,5}'),
('NO', '47', true, '00', null, true, '(?:0|[2-9]\d{3})\d{4}'),
('NP', '977', true, '00', '0', true, '(?:1\d|9)\d{9}|[1-9]\d{7}'),
('NR', '674', true, '00', null, true, '(?:222|444|(?:55|8\d)\d|666|777|999)\d{4}'),
('NU', '683', true, '00', null, true, '(?:[4-7]|888\d)\d{3}'),
('NZ', '64', true, '0(?:0|161)', '0', true,
'[1289]\d{9}|50\d{5}(?:\d{2,3})?|[27-9]\d{7,8}|(?:[34]\d|6[0-35-9])\d{6}|8\d{4,6}'),
('OM', '968', true, '00', null, true, '(?:1505|[279]\d{3}|500)\d{4}|800\d{5,6}'),
('PA', '507', true, '00', null, true, '(?:00800|8\d{3})\d{6}|[68]\d{7}|[1-57-9]\d{6}'),
('PE', '51', true, '00|19(?:1[124]|77|90)00', '0', true, '(?:[14-8]|9\d)\d{7}'),
('PF', '689', true, '00', null, true, '4\d{5}(?:\d{2})?|8\d{7,8}'),
('PG', '675', true, '00|140[1-3]', null, true, '(?:180|[78]\d{3})\d{4}|(?:[2-589]\d|64)\d{5}'),
('PH', '63', true, '00', '0', true, '(?:[2-7]|9\d)\d{8}|2\d{5}|(?:1800|8)\d{7,9}'),
('PK', '92', true, '00', '0', true,
'122\d{6}|[24-8]\d{10,11}|9(?:[013-9]\d{8,10}|2(?:[01]\d\d|2(?:[06-8]\d|1[01]))\d{7})|(?:[2-8]\d{3}|92(?:[0-7]\'
'd|8[1-9]))\d{6}|[24-9]\d{8}|[89]\d{7}'),
('PL', '48', true, '00', null, true, '(?:6|8\d\d)\d{7}|[1-9]\d{6}(?:\d{2})?|[26]\d{5}'),
('PM', '508', true, '00', '0', true, '[78]\d{8}|[2-9]\d{5}'),
('PR', '1', false, '011', '1', true, '(?:[589]\d\d|787)\d{7}'),
('PS', '970', true, '00', '0', true, '[2489]2\d{6}|(?:1\d|5)\d{8}'),
('PT', '351', true, '00', null, true, '1693\d{5}|(?:[26-9]\d|30)\d{7}'),
('PW', '680', true, '01[12]', null, true, '(?:[24-8]\d\d|345|900)\d{4}'),
('PY', '595', true, '00', '0', true, '[36-8]\d{5,8}|4\d{6,8}|59\d{6}|9\d{5,10}|(?:2\d|5[0-8])\d{6,7}'),
('QA', '974', true, '00', null, true, '800\d{4}|(?:2|800)\d{6}|(?:0080|[3-7])\d{7}'),
('RE', '262', true, '00', '0', true, '709\d{6}|(?:26|[689]\d)\d{7}'),
('RO', '40', true, '00', '0', true, '(?:[2378]\d|90)\d{7}|[23]\d{5}'),
('RS', '381', true, '00', '0', true,
'38[02-9]\d{6,9}|6\d{7,9}|90\d{4,8}|38\d{5,6}|(?:7\d\d|800)\d{3,9}|(?:[12]\d|3[0-79])\d{5,10}'),
('RU', '7', true, '810', '8', true, '8\d{13}|[347-9]\d{9}'),
('RW', '250', true, '00', '0', true, '(?:06|[27]\d\d|[89]00)\d{6}'),
('SA', '966', true, '00', '0', true, '(?:[15]\d|800|92)\d{7}'),
('SB', '677', true, '0[01]', null, true, '[6-9]\d{6}|[1-6]\d{4}'),
('SC', '248', true, '010|0[0-2]', null, true, '(?:[2489]\d|64)\d{5}'),
('SD', '249', true, '00', '0', true, '[19]\d{8}'),
('SE', '46', true, '00', '0', true, '(?:[26]\d\d|9)\d{9}|[1-9]\d{8}|[1-689]\d{7}|[1-4689]\d{6}|2\d{5}'),
('SG', '65', true, '0[0-3]\d', null, true, '(?:(?:1\d|8)\d\d|7000)\d{7}|[3689]\d{7}'),
('SH', '290', true, '00', null, true, '(?:[2569]\d|8)\d{3}'),
('SI', '386', true, '00|10(?:22|66|88|99)', '0', true, '[1-7]\d{7}|8\d{4,7}|90\d{4,6}'),
('SJ', '47', false, '00', null, true, '0\d{4}|(?:[489]\d|79)\d{6}'),
('SK', '421', true, '00', '0', true, '[2-689]\d{8}|[2-59]\d{6}|[2-5]\d{5}'),
('SL', '232', true, '00', '0', true, '(?:[237-9]\d|66)\d{6}'),
('SM', '378', true, '00', null, false, '(?:0549|[5-7]\d)\d{6}'),
('SN', '221', true, '00', null, true, '(?:[378]\d|93)\d{7}'),
('SO', '252', true, '00', '0', true, '[346-9]\d{8}|[12679]\d{7}|[1-5]\d{6}|[1348]\d{5}'),
('SR', '597', true, '00', null, true, '(?:[2-5]|[6-9]\d)\d{5}'),
('SS', '211', true, '00', '0', true, '[19]\d{8}'),
('ST', '239', true, '00', null, true, '(?:22|9\d)\d{5}'),
('SV', '503', true, '00', null, true, '[25-7]\d{7}|(?:80\d|900)\d{4}(?:\d{4})?'),
('SX', '1', false, '011', '1', true, '7215\d{6}|(?:[58]\d\d|900)\d{7}'),
('SY', '963', true, '00', '0', true, '[1-359]\d{8}|[1-5]\d{7}'),
('SZ', '268', true, '00', null, true, '0800\d{4}|(?:[237]\d|900)\d{6}'),
('TA', '290', false, '00', null, true, '8\d{3}'),
('TC', '1', false, '011', '1', true, '(?:[58]\d\d|649|900)\d{7}'),
('TD', '235', true, '00|16', null, true, '(?:22|[3689]\d|77)\d{6}'),
('TG', '228', true, '00', null, true, '[279]\d{7}'),
('TH', '66', true, '00[1-9]', '0', true, '(?:001800|[2-57]|[689]\d)\d{7}|1\d{7,9}'),
('TJ', '992', true, '810', null, true, '(?:[0-57-9]\d|66)\d{7}'),
('TK', '690', true, '00', null, true, '[2-47]\d{3,6}'),
('TL', '670', true, '00', null, true, '7\d{7}|(?:[2-47]\d|[89]0)\d{5}'),
('TM', '993', true, '810', '8', true, '[1-7]\d{7}'),
('TN', '216', true, '00', null, true, '[2-57-9]\d{7}'),
('TO', '676', true, '00', null, true, '(?:0800|(?:[5-8]\d\d|999)\d)\d{3}|[2-8]\d{4}'),
('TR', '90', true, '00', '0', true, '4\d{6}|8\d{11,12}|(?:[2-58]\d\d|900)\d{7}'),
('TT', '1', false, '011', '1', true, '(?:[58]\d\d|900)\d{7}'),
('TV', '688', true, '00', null, true, '(?:2|7\d\d|90)\d{4}'),
('TW', '886', true, '0(?:0[25-79]|19)', '0', true, '[2-689]\d{8}|7\d{9,10}|[2-8]\d{7}|2\d{6}'),
('TZ', '255', true, '00[056]', '0', true, '(?:[25-8]\d|41|90)\d{7}'),
('UA', '380', true, '00', '0', true, '[89]\d{9}|[3-9]\d{8}'),
('UG', '256', true, '00[057]', '0', true, '800\d{6}|(?:[29]0|[347]\d)\d{7}'),
('US', '1', true, '011', '1', true, '[2-9]\d{9}|3\d{6}'),
('UY', '598', true, '0(?:0|1[3-9]\d)', '0', true, '0004\d{2,9}|[1249]\d{7}|2\d{3,4}|(?:[49]\d|80)\d{5}'),
('UZ', '998', true, '00', null, true, '(?:20|33|[5-9]\d)\d{7}'),
('VA', '39', false, '00', null, true, '0\d{5,10}|3[0-8]\d{7,10}|55\d{8}|8\d{5}(?:\d{2,4})?|(?:1\d|39)\d{7,8}'),
('VC', '1', false, '011', '1', true, '(?:[58]\d\d|784|900)\d{7}'),
('VE', '58', true, '00', '0', true, '[68]00\d{7}|(?:[24]\d|[59]0)\d{8}'),
('VG', '1', false, '011', '1', true, '(?:284|[58]\d\d|900)\d{7}'),
('VI', '1', false, '011', '1', true, '[58]\d{9}|(?:34|90)0\d{7}'),
('VN', '84', true, '00', '0', true, '[12]\d{9}|[135-9]\d{8}|[16]\d{6,7}|7\d{6}'),
('VU', '678', true, '00', null, true, '[57-9]\d{6}|(?:[238]\d|48)\d{3}'),
('WF', '681', true, '00', null, true, '(?:40|72|8\d{4})\d{4}|[89]\d{5}'),
('WS', '685', true, '0', null, true, '(?:[2-6]|8\d{5})\d{4}|[78]\d{6}|[68]\d{5}'),
('XK', '383', true, '00', '0', true, '2\d{7,8}|3\d{7,11}|(?:4\d\d|[89]00)\d{5}'),
('YE', '967', true, '00', '0', true, '(?:1|7\d)\d{7}|[1-7]\d{6}'),
('YT', '262', false, '00', '0', true, '(?:639\d|7093)\d{5}|(?:26|80|9\d)\d{7}'),
('ZA', '27', true, '00', '0', true, '[1-79]\d{8}|8\d{4,9}'),
('ZM', '260', true, '00', '0', true, '800\d{6}|(?:21|[579]\d|63)\d{7}'),
('ZW', '263', true, '00', '0', true, '8\d{6}(?:\d{3})?|[235-8]\d{8}');

create function private.national_number(digits text, region private.phone_regions)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    whole constant text := '^(?:' || (national_number.region).national_pattern || ')$';
    trunk constant text := (national_number.region).trunk_prefix;
    rest text := national_number.digits;
begin
    if trunk is not null and starts_with(rest, trunk) then
        -- A number that is complete as it stands and would not be without the prefix keeps it.
        if rest !~ whole or substr(rest, length(trunk) + 1) ~ whole then
            rest := substr(rest, length(trunk) + 1);
        end if;
    end if;
    if rest !~ whole then
        return null;
    end if;
    -- North America: area code and exchange begin with 2 to 9, N9X and N11 are no area codes.
    if (national_number.region).calling_code = '1' and rest !~ '^(?![2-9]11)[2-9][0-8][0-9][2-9][0-9]{6}$' then
        return null;
    end if;
    return rest;
end;
$$;
comment on function private.national_number(text, private.phone_regions) is
'The national significant number that digits are in a region, without the trunk prefix; null when they are none.';

create function private.normalize_phone(phone text, default_country text)
returns text
language plpgsql
stable
security definer  -- reads the numbering plans, which nobody has a grant on
set search_path = ''
as $$
declare
    -- Spaces, hyphens of every width, points, brackets and slashes are decoration; full-width digits are digits.
    digits text := regexp_replace(
        translate(normalize_phone.phone, '０１２３４５６７８９＋', '0123456789+'),
        '[[:space:]\u00a0\u202f\u2007\u2010-\u2015\u2212.()/-]', '', 'g'
    );
    home private.phone_regions;
    region private.phone_regions;
    national text;
    with_exit text;
begin
    select r.* into home from private.phone_regions as r where r.country = upper(normalize_phone.default_country);

    if digits ~ '^[0-9]{1,20}$' and home.country is not null then
        with_exit := substring(digits from '^(?:' || home.exit_pattern || ')([1-9][0-9]*)$');
        digits := coalesce('+' || with_exit, digits);
    end if;

    if digits ~ '^\+[1-9][0-9]{6,19}$' then
        -- No calling code begins another: at most one row matches.
        select r.* into region
        from private.phone_regions as r
        where r.main and starts_with(substr(digits, 2), r.calling_code);
        if region.country is not null then
            national := private.national_number(substr(digits, 2 + length(region.calling_code)), region);
        end if;
    elsif digits ~ '^[0-9]{1,20}$' and home.plain then
        region := home;
        national := private.national_number(digits, home);
        if national is null and starts_with(digits, home.calling_code) then
            -- The country code without its plus sign.
            national := private.national_number(substr(digits, 1 + length(home.calling_code)), home);
        end if;
    end if;

    -- ITU-T E.164: at most 15 digits with the country code.
    if national is null or length(region.calling_code || national) > 15 then
        raise exception 'the phone number is incomplete, ambiguous or malformed'
        using errcode = 'CX006', hint = 'Write it with its country code and without extension, for example +15145550123.';
    end if;
    return '+' || region.calling_code || national;
end;
$$;
comment on function private.normalize_phone(text, text) is
'The E.164 form of a phone number, read as it is written in the default country (ISO 3166-1 alpha-2) when it has no country '
'code. Refuses what is ambiguous, and extensions. Raises CX006.';

revoke execute on function
private.national_number(text, private.phone_regions),
private.normalize_phone(text, text)
from public;
